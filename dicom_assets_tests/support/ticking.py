"""Ticks of the archive sensor, with what the daemon would do about them."""

from dataclasses import dataclass

import dagster as dg

from dicom_assets.orchestration.partitions import PREFIXES
from dicom_assets.orchestration.resources.archive import ArchiveResource
from dicom_assets.orchestration.resources.lake import LakeResource
from dicom_assets.orchestration.sensors import SensorOptions, build_archive_sensor


@dataclass
class Ticker:
    """Evaluates the sensor again and again, and keeps its cursor."""

    instance: dg.DagsterInstance
    archive: ArchiveResource
    lake: LakeResource
    options: SensorOptions

    def __post_init__(self):
        self.cursor = None
        self.sensor = build_archive_sensor(self.options)

    @property
    def keys(self):
        return list(self.instance.get_dynamic_partitions(PREFIXES.name))

    def tick(self):
        """Evaluate once; partition requests are carried out, run requests are returned. A tick that fails raises."""
        resources = {"archive": self.archive, "lake": self.lake}
        context = dg.build_sensor_context(self.instance, cursor=self.cursor, resources=resources)
        result = self.sensor(context)
        self.cursor = result.cursor
        carry_out(self.instance, result.dynamic_partitions_requests)
        return result


def carry_out(instance, requests):
    """Add and delete partitions as the daemon does after a tick."""
    for request in requests:
        if isinstance(request, dg.AddDynamicPartitionsRequest):
            instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        else:
            for key in request.partition_keys:
                instance.delete_dynamic_partition(request.partitions_def_name, key)


def ranges(result):
    """Return the ranges that a tick asks for."""
    tags = [request.tags for request in result.run_requests]
    return [(t["dagster/asset_partition_range_start"], t["dagster/asset_partition_range_end"]) for t in tags]
