"""The tutorial's examples as programs that run for real, with a recorded timeline whose order is checked."""
