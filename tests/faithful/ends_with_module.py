"""What only another module holds goes at the end, too."""

import os
import sys


class Tells:
    def __del__(self):
        os.write(1, b"what a module holds goes\n")


sys.modules["holder"] = type(sys)("holder")
sys.modules["holder"].held = Tells()
