"""The child process: ``python -m dicom_assets.isolation SOCKET BUFFERS FUNCTION SECONDS MEMORY``."""

import sys

from dicom_assets.isolation.child import run

if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), int(sys.argv[5]))
