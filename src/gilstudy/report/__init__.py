"""Findings in words and tables: nothing here measures or concludes anything."""
