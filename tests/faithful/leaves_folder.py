"""It goes to another folder, and removes the one that it was started in."""

import os

os.mkdir("sub")
os.chdir("sub")
os.rmdir(os.getcwd())
try:
    print(os.getcwd())
except FileNotFoundError as error:
    print(error)
