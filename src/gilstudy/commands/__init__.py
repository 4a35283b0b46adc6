"""One module per command: `configure` declares its options, `run` carries it out and returns the exit code."""
