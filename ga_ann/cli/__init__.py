"""The command line: compare, extract, train, predict, plot, info, export, report.

Each command has a module, which turns its arguments into calls of the library and prints the
answer. The heavy modules are imported by the commands that need them, so that ``ga-ann --help`` is
quick.
"""

from ga_ann.cli import compare, export, extract, info, plot, predict, report, train
from ga_ann.cli.program import PlainCommand, app, main

__all__ = ["app", "main"]

for _command in (
    compare.compare,
    extract.extract,
    train.train,
    predict.predict,
    plot.plot,
    info.info,
    export.export,
    report.report,
):
    app.command(cls=PlainCommand)(_command)
