"""Says in plain words what is missing when the extensions cannot be built."""

from setuptools.command.build_ext import build_ext

try:
    from setuptools.errors import CompileError, ExecError, PlatformError
except ImportError:  # setuptools < 59
    from distutils.errors import CompileError
    from distutils.errors import DistutilsExecError as ExecError
    from distutils.errors import DistutilsPlatformError as PlatformError

HELP = """
gilstudy could not compile its C extension, and it measures nothing without one.
It needs a C compiler and Python's header files:
  Debian, Ubuntu    apt install gcc python3-dev
  Fedora            dnf install gcc python3-devel
  macOS             xcode-select --install
  Windows           "Desktop development with C++" of the Visual Studio Build Tools
Then run the same command again. What the compiler step said:
  """


class ClearBuildExt(build_ext):
    """build_ext whose failure names the missing compiler instead of the last of its own frames."""

    def run(self) -> None:
        try:
            super().run()
        except (CompileError, ExecError, PlatformError) as error:
            raise SystemExit(f"{HELP}{error}") from error
