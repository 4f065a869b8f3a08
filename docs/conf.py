"""Sphinx: make docs builds this with -W, so that every warning is an error."""

from fsp_pyramid import __version__

project = 'fsp_pyramid'
author = 'the authors of fsp_pyramid'
version = release = __version__
html_theme = 'alabaster'
html_theme_options = {
    'description': 'A Beefree file system provider on Egnyte, as a Pyramid add-on',
    'page_width': '1100px',
    'sidebar_width': '240px',
}
html_sidebars = {'**': ['about.html', 'searchfield.html', 'navigation.html']}
html_show_sphinx = html_show_copyright = False
# Shell lines, settings and answers: nothing is guessed to be Python.
highlight_language = 'none'
