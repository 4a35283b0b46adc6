"""Plain programs, run in a child interpreter whose processes and threads are recorded from outside of their code."""
