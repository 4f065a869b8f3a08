"""Sphinx configuration. make docs builds with -W: warnings are errors."""

from fsp_pyramid import __version__

project = 'fsp_pyramid'
author = 'fsp_pyramid contributors'
version = release = __version__
extensions = ['sphinx.ext.autodoc', 'sphinxcontrib.openapi']
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
openapi_default_renderer = 'httpdomain'
html_theme = 'alabaster'
html_theme_options = {
    'description': 'A Beefree file system provider on Egnyte, as a Pyramid add-on',
    'page_width': '1100px',
    'sidebar_width': '240px',
}
html_sidebars = {'**': ['about.html', 'searchfield.html', 'navigation.html']}
html_show_sphinx = html_show_copyright = False
# Most blocks are shell commands, settings and responses: do not guess Python.
highlight_language = 'none'
