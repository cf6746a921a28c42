"""Groups of attributes of :class:`~dicom_assets.orchestration.component.DicomCatalogComponent`, each on one subject."""

from datetime import timedelta
from typing import Literal

from dagster import Model, Resolvable
from pydantic import Field, field_validator

from dicom_assets.checks.options import Bounds, CheckOptions
from dicom_assets.dicom.render.options import ThumbnailOptions
from dicom_assets.orchestration.resources.spark import SparkResource
from dicom_assets.orchestration.sensors import SensorOptions
from dicom_assets.pipeline.difference import UpdateMode
from dicom_assets.spark.settings import checked, spark_settings

_CHECKS = CheckOptions()
_SENSOR = SensorOptions()
_THUMBNAIL = ThumbnailOptions()
_SPARK = SparkResource()


class SensorSettings(Resolvable, Model):
    """How changes of the archive are looked for."""

    running: bool = Field(
        default=True,
        description="Whether the sensors and the schedule of the catalog start with the deployment. They can be "
        "switched in the UI, and what was switched there stays.",
    )
    sweep_minutes: float = Field(
        default=_SENSOR.sweep_minutes,
        description="The least time from the beginning of one sweep over all prefixes to that of the next, 0 for no "
        "pause. What `dicom-assets notify` or a request to the webserver tells of is looked at in any case.",
    )
    interval_seconds: int = Field(default=_SENSOR.interval_seconds, description="Pause between two looks.")
    tick_seconds: float = Field(
        default=_SENSOR.tick_seconds,
        description="How long one look takes at most; the next goes on where it ended. Dagster gives up at 60.",
    )
    prefixes_per_run: int = Field(
        default=_SENSOR.prefixes_per_run, description="How many neighbouring prefixes one run takes."
    )
    mode: Literal["sync", "append"] = Field(
        default="sync",
        description="`sync` mirrors the archive, `append` keeps the rows of files that were removed from it.",
    )

    @field_validator("interval_seconds", "prefixes_per_run")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"{value} is too small: take 1 or more")
        return value

    @field_validator("sweep_minutes")
    @classmethod
    def _no_less_than_none(cls, value: float) -> float:
        if value < 0:
            raise ValueError(f"{value} is no time between sweeps: take 0 or more minutes")
        return value

    @field_validator("tick_seconds")
    @classmethod
    def _within_a_tick(cls, value: float) -> float:
        if not 0 < value < 60:
            raise ValueError(f"{value} is no length of a look: take seconds above 0 and below 60")
        return value

    def options(self) -> SensorOptions:
        """Return the options of the sensor."""
        return SensorOptions(
            sweep_minutes=self.sweep_minutes,
            tick_seconds=self.tick_seconds,
            interval_seconds=self.interval_seconds,
            prefixes_per_run=self.prefixes_per_run,
            mode=UpdateMode(self.mode),
            running=self.running,
        )


class ThumbnailSettings(Resolvable, Model):
    """How thumbnails look. Another choice makes all of them anew, prefix by prefix."""

    longest_side: int = Field(default=_THUMBNAIL.longest_side, description="In pixels; smaller frames keep their size.")
    jpeg_quality: int = Field(default=_THUMBNAIL.jpeg_quality, description="1 to 95.")

    @field_validator("longest_side")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError(f"{value} is too small: take 1 or more pixels")
        return value

    @field_validator("jpeg_quality")
    @classmethod
    def _as_jpeg_takes_it(cls, value: int) -> int:
        if not 1 <= value <= 95:
            raise ValueError(f"{value} is no quality: take 1 to 95")
        return value

    def options(self) -> ThumbnailOptions:
        """Return the options of the extractor."""
        return ThumbnailOptions(self.longest_side, self.jpeg_quality)


class CheckSettings(Resolvable, Model):
    """What the checks of the tables still take for well."""

    errors: float = Field(
        default=_CHECKS.bounds.errors,
        description="Share of an extracted table's rows that may have the status `error`.",
    )
    damaged: float = Field(
        default=_CHECKS.bounds.damaged,
        description="Share of an extracted table's rows that may have another status of a damaged file.",
    )
    flat_thumbnails: float = Field(
        default=_CHECKS.flat_thumbnails, description="Share of the thumbnails looked at that may be one grey level."
    )
    thumbnails_per_prefix: int = Field(
        default=_CHECKS.thumbnails_per_prefix, description="How many thumbnails of a prefix are looked at."
    )
    newest_file_hours: float | None = Field(
        default=None,
        description="How old the newest file of the archive may be. By default there is no such check: archives at "
        "rest are common.",
    )

    def options(self) -> CheckOptions:
        """Return the bounds; raises ``CheckOptionsError`` where one cannot be meant."""
        newest = None if self.newest_file_hours is None else timedelta(hours=self.newest_file_hours)
        return CheckOptions(
            Bounds(self.errors, self.damaged),
            flat_thumbnails=self.flat_thumbnails,
            thumbnails_per_prefix=self.thumbnails_per_prefix,
            newest_file=newest,
        )


class SparkSettings(Resolvable, Model):
    """Where the work is done."""

    master: str = Field(
        default="",
        description="A cluster: `spark://host:7077`, `yarn`, `k8s://https://host`; without any it is this machine.",
    )
    remote: str = Field(
        default="",
        description="A Spark Connect server in place of a master: `sc://host:15002`. Needs the extra `connect`.",
    )
    config: dict[str, str | int | float | bool] = Field(
        default_factory=dict, description="More Spark settings, such as `spark.executor.memory: 8g`."
    )
    small_files: int = Field(
        default=_SPARK.small_files,
        description="Work on no more files than this is done in the run's own process, without Spark; 0 takes Spark "
        "always.",
    )
    small_mib: int = Field(default=_SPARK.small_mib, description="The same for the size of the files together, in MiB.")

    def resource(self) -> SparkResource:
        """Return the resource; raises ``SparkSettingsError`` where a master and a server are named."""
        engine = spark_settings(self.master, self.remote)
        config = checked({**self.config, **engine})
        return SparkResource(spark_config=config, small_files=self.small_files, small_mib=self.small_mib)
