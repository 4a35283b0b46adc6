"""The programs of the lessons: the code that is shown is the code that runs, and it knows nothing of this package."""
