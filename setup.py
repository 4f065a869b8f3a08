"""Build: the catalogs of the languages are compiled first. All else is in setup.cfg."""

from typing import ClassVar

from setuptools import setup
from setuptools.command.build import build


class Build(build):
    """Build with compile_catalog, a command of Babel's that setup.cfg configures."""

    sub_commands: ClassVar = [('compile_catalog', None), *build.sub_commands]


setup(cmdclass={'build': Build})
