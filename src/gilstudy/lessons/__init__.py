"""The tutorial's examples as lessons: what to run, what must be seen, and the words for it in each language."""
