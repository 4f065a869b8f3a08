"""Sphinx configuration. make docs builds with -W: warnings are errors."""

from fsp_pyramid import __version__

project = 'fsp_pyramid'
author = 'fsp_pyramid contributors'
version = release = __version__
extensions = ['sphinx.ext.autodoc', 'sphinxcontrib.openapi']
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
openapi_default_renderer = 'httpdomain'
html_theme = 'furo'
html_title = 'fsp_pyramid'
html_theme_options = {'navigation_with_keys': True}
html_static_path = ['static']
html_css_files = ['tables.css']
html_show_sphinx = html_show_copyright = False
# Most blocks are shell commands, settings and responses: do not guess Python.
highlight_language = 'none'
