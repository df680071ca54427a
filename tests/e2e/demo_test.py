"""scripts/demo --once, as a newcomer runs it."""

import glob
import os
import subprocess
import tempfile

from tests.support.process import REPOSITORY


def test_the_demo_shows_every_kind_of_session_and_leaves_nothing_behind():
    # Unix sockets need a short path.
    with tempfile.TemporaryDirectory(prefix="demo", dir="/tmp") as directory:
        os.chmod(directory, 0o755)
        result = subprocess.run(
            [os.path.join(REPOSITORY, "scripts/demo"), "--once"], capture_output=True, text=True,
            check=False, timeout=600, env={**os.environ, "TMPDIR": directory},
        )
        assert result.returncode == 0, result.stdout + result.stderr
        for words in ("oldest idle transaction", "batch", "tls", "plain", "unix", "findings"):
            assert words in result.stdout
        assert glob.glob(f"{directory}/*") == []
