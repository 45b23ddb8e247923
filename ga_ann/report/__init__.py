"""Reports for the browser: one HTML file, with interactive charts and no network."""

from ga_ann.report.save import check_installed, save_report

__all__ = ["check_installed", "save_report"]
