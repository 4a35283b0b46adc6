"""How the extensions are compiled: with what a compiler turns out to need, and in plain words if it fails."""

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from setuptools import Extension
from setuptools.command.build_ext import build_ext

try:
    from setuptools.errors import CompileError, ExecError, LinkError, PlatformError
except ImportError:  # setuptools < 59
    from distutils.errors import CompileError, LinkError
    from distutils.errors import DistutilsExecError as ExecError
    from distutils.errors import DistutilsPlatformError as PlatformError

FAILURES = (CompileError, ExecError, LinkError, PlatformError)

HELP = """
gilstudy could not compile its C extension, and it measures nothing without one.
It needs a C compiler and Python's header files:
  Debian, Ubuntu    apt install gcc python3-dev
  Fedora            dnf install gcc python3-devel
  macOS             xcode-select --install
  Windows           "Desktop development with C++" of the Visual Studio Build Tools
Then run the same command again. What the compiler step said:
  """

WITHOUT = """
gilstudy is installed without its extension {name}, which could not be compiled:
  {line}
All else works. gilstudy trace and gilstudy probe need it, and will say so.
"""

# Where the processor, or the compiler's idea of how such words are aligned, is not enough, these are calls.
ATOMICS = """
#include <stdint.h>
int main(int count, char **words)
{
    int64_t *word = (int64_t *)(void *)words, seen = count;
    __atomic_store_n(word, 1, __ATOMIC_RELEASE);
    __atomic_add_fetch(word, 1, __ATOMIC_SEQ_CST);
    __atomic_compare_exchange_n(word, &seen, 2, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    return (int)__atomic_load_n(word, __ATOMIC_ACQUIRE);
}
"""
COMPLAINT = re.compile(r"\berror\b ?[:A-Z]|undefined reference|undefined symbol|cannot find|unable to ")
LONGEST = 200


class ClearBuildExt(build_ext):
    """build_ext that tells what a compiler said, and leaves out an optional extension that cannot be compiled."""

    def run(self) -> None:
        self.unbuilt: dict[str, str] = {}
        try:
            super().run()
        except FAILURES as error:
            raise SystemExit(f"{HELP}{error}") from error
        for extension in self.extensions:
            self._note(extension)

    def build_extensions(self) -> None:
        if self.compiler.compiler_type == "unix" and not self._links(ATOMICS) and self._links(ATOMICS, "atomic"):
            for extension in self.extensions:
                extension.libraries.append("atomic")
        super().build_extensions()

    def build_extension(self, ext: Extension) -> None:
        said: list[str] = []
        try:
            with heard(said):
                super().build_extension(ext)
        except FAILURES as error:
            line = next(filter(COMPLAINT.search, said), str(error)).strip()[:LONGEST]
            if not ext.optional:
                raise SystemExit(f"{HELP}{ext.name}: {line}") from error
            self.unbuilt[ext.name] = line
            Path(self.get_ext_fullpath(ext.name)).unlink(missing_ok=True)  # of an earlier build
            sys.stderr.write(WITHOUT.format(name=ext.name, line=line))

    def _note(self, extension: Extension) -> None:
        """Leave word, where the extension would lie, of why it is not there."""
        if not extension.optional:
            return
        path = Path(self.get_ext_fullpath(extension.name))
        note = path.with_name(extension.name.rpartition(".")[2] + ".unbuilt")
        if extension.name in self.unbuilt:
            path.unlink(missing_ok=True)
            note.parent.mkdir(parents=True, exist_ok=True)
            note.write_text(self.unbuilt[extension.name] + "\n", encoding="utf-8")
        else:
            note.unlink(missing_ok=True)

    def _links(self, code: str, *libraries: str) -> bool:
        """Whether a program can be built, with these libraries."""
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "tried.c")
            source.write_text(code)
            try:
                with heard([], aloud=False):
                    objects = self.compiler.compile([str(source)], output_dir=folder)
                    self.compiler.link_executable(objects, "tried", output_dir=folder, libraries=list(libraries))
            except FAILURES:
                return False
        return True


@contextmanager
def heard(lines: list[str], *, aloud: bool = True) -> Iterator[None]:
    """Collect what this process and its children write to the standard streams meanwhile, and pass it on at the end."""
    streams = [stream for stream in (sys.stdout, sys.stderr) if stream is not None]
    for stream in streams:
        stream.flush()
    with tempfile.TemporaryFile() as kept:
        real = {number: os.dup(number) for number in (1, 2)}
        try:
            for number in real:
                os.dup2(kept.fileno(), number)
            yield
        finally:
            for stream in streams:
                stream.flush()
            for number, copy in real.items():
                os.dup2(copy, number)
                os.close(copy)
            kept.seek(0)
            text = kept.read().decode(errors="replace")
            lines += text.splitlines()
            if aloud and sys.stderr is not None:
                sys.stderr.write(text)
