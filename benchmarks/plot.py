"""The ratios as bars that can be read in black and white."""

from pathlib import Path

import matplotlib as mpl

mpl.use('svg')
from matplotlib import pyplot as plt
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .load import Row


def draw(rows: list[Row], path: Path) -> None:
    """Write the picture of *rows* to *path*; the end of its name says in which format."""
    # The same ids each time; text as text, which is smaller and can be found.
    mpl.rcParams |= {'svg.hashsalt': 'results', 'svg.fonttype': 'none'}
    upwards = rows[::-1]
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.52 * len(upwards)), layout='constrained')
    values = [row.ratio for row in upwards]
    least, most = ([abs(row.ratios[end] - row.ratio) for row in upwards] for end in (0, -1))
    colors = ['0.45' if row.unit == 'ms' else '0.75' for row in upwards]
    bars = [value - 1 for value in values]
    axes.barh(range(len(upwards)), bars, left=1, color=colors, edgecolor='black', height=0.6)
    axes.errorbar(values, range(len(upwards)), xerr=[least, most], fmt='none', ecolor='black', capsize=3, linewidth=1)
    axes.set_xscale('log')
    axes.set_yticks(range(len(upwards)), [f'{row.what}\nagainst: {row.yardstick}' for row in upwards], fontsize=8)
    for position, row in enumerate(upwards):
        axes.annotate(
            f'{row.ratio:.2f}',
            (max(row.ratios[-1], 1), position),
            (6, 0),
            textcoords='offset points',
            va='center',
        )
    axes.axvline(1, color='black', linewidth=1.5)
    axes.set_xlim(min(0.4, *values) * 0.9, max(row.ratios[-1] for row in upwards) * 1.6)
    axes.xaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f'{value:g}'))
    axes.set_title('How many times its yardstick (1 = the same; less is better; logarithmic)', fontsize=10)
    axes.set_xlabel('dark: time for a request, light: memory; whiskers: lowest and highest round', fontsize=8)
    axes.grid(axis='x', color='0.85')
    axes.set_axisbelow(True)
    for side in ('top', 'right'):
        axes.spines[side].set_visible(False)
    figure.savefig(path, metadata={'Date': None} if path.suffix == '.svg' else None, dpi=110)
