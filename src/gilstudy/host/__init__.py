"""Where are we? This folder knows the machine, its CPUs and quotas, its counters, and this interpreter."""
