"""Reports: report.json, report.html, junit.xml, and the summary in the terminal. All are views of one dictionary."""
