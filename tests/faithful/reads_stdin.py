"""It reads its standard input in every way, and prompts."""

import os
import sys

print(repr(input("your name? ")))
print(repr(sys.stdin.readline()))
print(repr(sys.stdin.read(3)))
print(sys.stdin.read().encode(), sys.stdin.isatty(), sys.stdin.closed)
print(os.read(0, 10))
try:
    input()
except EOFError as error:
    print(error)
