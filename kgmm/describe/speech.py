"""Speaking a text aloud with espeak-ng, where it is installed."""

import shutil
import subprocess

from kgmm.errors import KgmmError

COMMAND = "espeak-ng"


def speak(text: str, words_per_second: float) -> None:
    """Speak a text, and return when it is said.

    Raises:
        KgmmError: if espeak-ng is not installed, or fails.
    """
    found = shutil.which(COMMAND)
    if found is None:
        raise KgmmError(f"--speak needs {COMMAND}, which is not installed (apt-get install {COMMAND})")
    pace = min(max(round(words_per_second * 60), 80), 450)  # what it takes, in words a minute
    said = subprocess.run([found, "-v", "en", "-s", str(pace), "--stdin"], input=text, text=True, capture_output=True)
    if said.returncode:
        raise KgmmError(f"{COMMAND} could not speak: {' '.join(said.stderr.split()) or said.returncode}")
