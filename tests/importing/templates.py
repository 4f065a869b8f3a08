"""Templates in the shapes of Beefree's exports, written for these tests. ``HOST`` stands for the host of the assets."""

import json
from typing import Any


def html_email(host: str) -> bytes:
    """Return the HTML of an e-mail as an editor exports it, with 8 assets."""
    return f"""<!DOCTYPE html>
<html lang="en" xmlns:o="urn:schemas-microsoft-com:office:office" xmlns:v="urn:schemas-microsoft-com:vml">
<head>
<title><img src="{host}/no-tag.png"></title>
<meta content="text/html; charset=utf-8" http-equiv="Content-Type"/>
<meta property="og:image" content="{host}/og.png?w=1&amp;h=2"/>
<link rel="shortcut icon" href="{host}/favicon.ico">
<link href="https://fonts.example/css?family=Lato" rel="stylesheet"/>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:AllowPNG/></o:OfficeDocumentSettings></xml><![endif]-->
<!-- an old picture: <img src="{host}/comment.png"> -->
<style>
@import url({host}/theme.css);
@font-face {{ font-family: Lato; src: url('{host}/lato.woff2') format('woff2'); }}
/* url({host}/css-comment.png) */
.hero {{ background-image: url( "{host}/hero.png" ); content: "url({host}/string.png)" }}
@media (max-width:620px) {{ .hero {{ background: URL({host}/hero-mobile.png) no-repeat }} }}
</style>
<script>document.write('<img src="{host}/script.png">')</script>
</head>
<body style="margin:0; background:#fff url(&quot;{host}/body.png&quot;)">
<table width=600 background={host}/table.png><tr><td>
<!--[if gte mso 9]><v:rect style="width:600px">
<v:fill type="frame" src="{host}/vml.png" color="#fff"/><v:textbox><![endif]-->
<!--[if !mso]><!--><img alt="a > b" class='x' SRC = '{host}/pizza.png'
  srcset="{host}/pizza.png 1x, {host}/pizza@2x.png 2x" width="600"/><!--<![endif]-->
<a href="{host}/menu.pdf" target="_blank">Menü, 10&nbsp;€ &amp; more</a>
<a href="https://shop.example/?a=1&b=2"><img src="{{{{ product.image }}}}"><img src="*|LOGO|*"></a>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw="><img src="">
</td></tr></table>
</body>
</html>
""".encode()


HTML_URLS = [
    '/og.png?w=1&h=2',
    '/favicon.ico',
    '/hero.png',
    '/hero-mobile.png',
    '/body.png',
    '/table.png',
    '/vml.png',
    '/pizza.png',
    '/pizza.png',
    '/pizza@2x.png',
]


def full_template(host: str) -> bytes:
    """Return a template of Beefree's full schema: rows, columns, modules, mobile overrides, escaped slashes."""
    module = {'locked': False, 'uuid': '5f2c'}
    rows: list[dict[str, Any]] = [
        {
            'type': 'one-column-empty',
            'container': {'style': {'background-image': f"url('{host}/row.png')", 'padding': 0.50}},
            'content': {'style': {'background-image': 'none'}, 'computedStyle': {'rowColStackOnMobile': True}},
            'columns': [
                {
                    'grid-columns': 12,
                    'modules': [
                        module | {
                            'type': 'mailup-bee-newsletter-modules-image',
                            'descriptor': {
                                'image': {'alt': 'Pizza', 'src': f'{host}/pizza.png', 'href': f'{host}/menu.pdf'},
                                'mobileStyle': {'image': {'src': f'{host}/pizza-mobile.png'}},
                            },
                        },
                        module | {
                            'type': 'mailup-bee-newsletter-modules-text',
                            'descriptor': {'text': {'html': f'<p>Né <img src="{host}/inline.png?a=1&amp;b=2"></p>'}},
                        },
                        module | {
                            'type': 'mailup-bee-newsletter-modules-video',
                            'descriptor': {
                                'video': {'src': 'https://www.youtube.com/watch?v=x', 'thumb': f'{host}/video.jpg'},
                            },
                        },
                        module | {
                            'type': 'mailup-bee-newsletter-modules-social',
                            'descriptor': {
                                'iconsList': {
                                    'icons': [
                                        {'image': {'src': f'{host}/social/x.png', 'href': 'https://x.example/'}},
                                        {'image': f'{host}/social/y', 'href': 'https://y.example/'},
                                    ]
                                }
                            },
                        },
                    ],
                }
            ],
        }
    ]  # fmt: skip
    page = {
        'title': '', 'rows': rows, 'version': 2.0e0,
        'body': {'webFonts': [{'name': 'Lato', 'url': 'https://fonts.example/css?family=Lato'}]},
    }  # fmt: skip
    return json.dumps({'page': page, 'comments': {}}, indent=1).replace('/', '\\/').replace('2.0', '2.00').encode()


FULL_URLS = (
    *('/row.png', '/pizza.png', '/pizza-mobile.png', '/inline.png?a=1&b=2', '/video.jpg'),
    *('/social/x.png', '/social/y'),
)


def simple_template(host: str) -> bytes:
    """Return a template of Beefree's simple schema."""
    return f"""{{"template": {{"type": "email", "rows": [
  {{"name": "hero", "background-image": "{host}/hero.png", "columns": [{{"weight": 12.0, "modules": [
    {{"type": "image", "src": "{host}/pizza.png", "href": "https://shop.example/", "alt": "a"}},
    {{"type": "html", "html": "<div style=\\"background:url({host}/div.png)\\">\\u00fc</div>"}},
    {{"type": "icons", "icons": [{{"src": "{host}/i1.png"}}, {{"image": "{{{{merge.tag}}}}"}}]}}]}}]}}]}}}}
""".encode()


SIMPLE_URLS = ('/hero.png', '/pizza.png', '/div.png', '/i1.png')
