"""Temporary files and folders, which are cleaned up at the end, whoever forgot them."""

import os
import pathlib
import tempfile

tempfile.tempdir = os.getcwd()
with tempfile.TemporaryDirectory() as folder:
    pathlib.Path(folder, "inside").write_text("x")
print(os.path.exists(folder))
forgotten = tempfile.TemporaryDirectory()
named = tempfile.NamedTemporaryFile()
print(len(os.listdir()) - len([name for name in os.listdir() if not name.startswith("tmp")]))
os.umask(0o027)
with open("kept", "w") as file:
    file.write("kept")
print(oct(os.stat("kept").st_mode))
