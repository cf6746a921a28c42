"""An archive of the classes that Spark loads, which a JVM maps into its memory instead of loading them.

Spark loads 17,000 classes from its jars before a first job is done. That is most of what it takes to start, and half of
it is saved by such an archive ("application class-data sharing", JEP 350). One is of one Java and one Spark, takes
150 MB of the user's cache folder, and is used where it is there. A JVM that it does not fit, or that finds it damaged,
does without.
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from platformdirs import user_cache_path

from dicom_assets.spark.settings import spark_home

_SILENT = ("-Xlog:cds=off", "-Xlog:cds+dynamic=off")


@dataclass(frozen=True, slots=True)
class ClassArchive:
    """The archive of one Java and one Spark, whether it is there or not.

    Attributes
    ----------
    folder
        Where archives are.
    stem
        How the name begins, and no other's does.

    """

    folder: Path
    stem: str

    @classmethod
    def of(cls, java: str) -> Self:
        """Return that of a Java executable and the Spark of this machine, as they are installed now."""
        digest = hashlib.sha256()
        for part in (Path(java).resolve(), spark_home() / "jars"):
            changed = part.stat().st_mtime_ns if part.exists() else 0
            digest.update(f"{part}\0{changed}\0".encode(errors="surrogateescape"))
        return cls(user_cache_path("dicom-assets") / "spark", f"classes-{digest.hexdigest()[:16]}")

    def path(self) -> Path | None:
        """Return where it is; ``None`` where there is none, or it has lost its end.

        A JVM that maps a file which is shorter than it was dies of that, so its size is in its name.
        """
        for path in self.folder.glob(f"{self.stem}-*.jsa"):
            with suppress(FileNotFoundError):  # replaced at this moment
                if path.stem == f"{self.stem}-{path.stat().st_size}":
                    return path
        return None

    def put(self, made: Path) -> Path:
        """Give a file that was made in the folder its name, in place of earlier ones; return its path."""
        earlier = set(self.folder.glob(f"{self.stem}-*.jsa"))
        path = made.replace(self.folder / f"{self.stem}-{made.stat().st_size}.jsa")
        for one in earlier - {path}:
            one.unlink(missing_ok=True)
        return path


def using(archive: Path | None) -> list[str]:
    """Return the options of a JVM that takes classes from an archive, if there is one.

    What is mapped is run as it is, so its checksums are looked at. What does not fit is not worth a word in the user's
    terminal: the JVM is slower, and that is all.
    """
    if archive is None:
        return []
    return [f"-XX:SharedArchiveFile={archive}", "-XX:+VerifySharedSpaces", *_SILENT]


def writing(archive: Path) -> list[str]:
    """Return the options of a JVM that writes an archive of what it has loaded when it ends."""
    return [f"-XX:ArchiveClassesAtExit={archive}", *_SILENT]
