"""For pytest and unittest: one passes, one fails."""

import threading
import unittest


def test_passes(tmp_path):
    thread = threading.Thread(target=(tmp_path / "file").write_text, args=("x",))
    thread.start()
    thread.join()
    assert (tmp_path / "file").read_text() == "x"


def test_fails(capsys):
    print("printed by the test")
    assert [1, 2] == [1, 3]


class InUnittest(unittest.TestCase):
    def test_passes(self):
        self.assertEqual(1, 1)

    def test_fails(self):
        self.assertEqual("a", "b")
