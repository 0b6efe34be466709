"""An installation that fails."""

import shutil
import subprocess
from pathlib import Path

from tests.support.servers import CHECKOUT


def test_a_lock_that_cannot_be_installed_is_one_sentence_with_a_log(tmp_path: Path):
    shutil.copy(CHECKOUT / "oja", tmp_path)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "local.txt").write_text("no-such-package-of-oja==0\n")

    done = subprocess.run(
        ["python3", str(tmp_path / "oja"), "env"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 1
    assert "failed" in done.stderr
    assert str(tmp_path / ".oja" / "install.log") in done.stderr
    assert "Traceback" not in done.stderr
