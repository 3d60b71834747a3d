"""The sizes of EC2 of this release: complete, and the same as a second list says."""

from shared.clouds.aws.catalog import AwsCatalog
from shared.clouds.aws.machine_types import machine_types
from shared.clouds.models import CHANGE, NEEDS_STOP, MachineType
from shared.clouds.registry import machine_types_of
from tests.fixtures.lazily import Lazily

moto_types = Lazily("moto.ec2.models.instance_types")

IN_BOTH = 1386


def test_published_sizes_are_in_the_file():
    assert len(machine_types()) == 1398
    assert machine_types()["t3.micro"] == MachineType("t3.micro", "t3", 2, 1.0, "x86_64")
    assert machine_types()["t3.nano"].memory_gib == 0.5
    assert machine_types()["m7g.large"] == MachineType("m7g.large", "m7g", 2, 8.0, "arm64")
    assert machine_types()["m5.metal"].bare_metal
    assert machine_types()["m7i.metal-24xl"].bare_metal
    assert machine_types_of("aws") is machine_types()


def test_every_size_that_a_second_list_has_is_the_same_there():
    """The second list is moto's copy of what DescribeInstanceTypes answers; 297 sizes are only there, 1,089 in both."""
    others = {name: each for name, each in moto_types.INSTANCE_TYPES.items() if name in machine_types()}
    assert len(others) == IN_BOTH
    for name, other in others.items():
        found = machine_types()[name]
        assert found.vcpu == other["VCpuInfo"]["DefaultVCpus"], name
        assert abs(found.memory_gib - other["MemoryInfo"]["SizeInMiB"] / 1024) < 0.001, name
        assert found.architecture in other["ProcessorInfo"]["SupportedArchitectures"], name


def test_the_schema_tells_which_field_changes_with_a_stop():
    offer = next(each for each in AwsCatalog().offers() if each.resource_type == "compute")
    properties = offer.configuration_schema["properties"]
    assert {name for name, each in properties.items() if each.get(CHANGE) == NEEDS_STOP} == {"instance_type"}
