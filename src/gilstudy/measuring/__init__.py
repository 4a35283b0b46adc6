"""What happened? Plans, stations and trials, and the record of raw integers that they make."""
