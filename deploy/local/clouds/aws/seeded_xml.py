"""How does EC2 write seeded machines and volumes down? With all that a real instance shows: reading it is the work."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from xml.sax.saxutils import escape

from deploy.local.clouds.aws.seeded import SeededMachine, SeededVolume, identifier
from deploy.local.clouds.aws.states import MACHINE_STATES

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
_GROUP, _ADDRESS_MAX = "default", 2**16 - 10


def moment(time_s: float) -> str:
    return dt.datetime.fromtimestamp(time_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def answer(action: str, inner: bytes | str, token: str | None = None) -> bytes:
    """A whole answer to `action`."""
    body = inner if isinstance(inner, bytes) else inner.encode()
    number = hashlib.sha256(body).hexdigest()
    request_id = f"{number[:8]}-{number[8:12]}-4{number[13:16]}-8{number[17:20]}-{number[20:32]}"
    after = f"<nextToken>{token}</nextToken>" if token else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NAMESPACE}">'
        f"<requestId>{request_id}</requestId>".encode()
        + body
        + f"{after}</{action}Response>".encode()
    )


def reservations(machines: Iterable[SeededMachine]) -> bytes:
    """The items alone; each machine is a reservation of its own, as one RunInstances for each would have made."""
    return b"".join(machine.shown or _shown(machine) for machine in machines)


def _shown(machine: SeededMachine) -> bytes:
    machine.shown = _reservation(machine).encode()
    return machine.shown


def tag_set(tags: dict[str, str]) -> str:
    items = "".join(
        f"<item><key>{escape(key)}</key><value>{escape(value)}</value></item>" for key, value in tags.items()
    )
    return f"<tagSet>{items}</tagSet>" if tags else ""


def _group(machine: SeededMachine) -> str:
    group_id = identifier("sg", machine.account_id, machine.region)
    return f"<groupSet><item><groupId>{group_id}</groupId><groupName>{_GROUP}</groupName></item></groupSet>"


def private_ip(machine: SeededMachine) -> str:
    host = 10 + machine.number % _ADDRESS_MAX
    return f"172.31.{host // 256}.{host % 256}"


def public_ip(machine: SeededMachine) -> str | None:
    """None for a machine that has given its address back. Of 198.18.0.0/15, which is nobody's (RFC 2544)."""
    host = 10 + machine.number % _ADDRESS_MAX
    return f"198.18.{host // 256}.{host % 256}" if machine.state in {"pending", "running"} else None


def _reservation(machine: SeededMachine) -> str:
    reservation_id = identifier("r", machine.id)
    return (
        f"<item><reservationId>{reservation_id}</reservationId><ownerId>{machine.account_id}</ownerId><groupSet/>"
        f"<instancesSet>{_instance(machine)}</instancesSet></item>"
    )


def _instance(machine: SeededMachine) -> str:
    gone = machine.state == "terminated"
    launched = moment(machine.launched_s)
    public = public_ip(machine)
    address, host = private_ip(machine), private_ip(machine).replace(".", "-")
    where = f"{machine.region}.compute.internal"
    public_name = "" if public is None else f"ec2-{public.replace('.', '-')}.{machine.region}.compute.amazonaws.com"
    reason, why = "", ""
    if machine.stopped_s is not None:
        reason = f"User initiated ({dt.datetime.fromtimestamp(machine.stopped_s, dt.UTC):%Y-%m-%d %H:%M:%S} GMT)"
        code = "Client.UserInitiatedShutdown"
        why = f"<stateReason><code>{code}</code><message>{code}: User initiated shutdown</message></stateReason>"
    place = "" if gone else _place(machine, address) + _network(machine, address, f"ip-{host}.{where}", public)
    return (
        f"<item><instanceId>{machine.id}</instanceId><imageId>{machine.image_id}</imageId><instanceState>"
        f"<code>{MACHINE_STATES[machine.state]}</code><name>{machine.state}</name></instanceState>"
        f"<privateDnsName>{'' if gone else f'ip-{host}.{where}'}</privateDnsName><dnsName>{public_name}</dnsName>"
        f"<reason>{reason}</reason><keyName>operations</keyName><amiLaunchIndex>0</amiLaunchIndex><productCodes/>"
        f"<instanceType>{machine.instance_type}</instanceType><launchTime>{launched}</launchTime>"
        f"<placement><availabilityZone>{machine.zone}</availabilityZone><groupName/><tenancy>default</tenancy>"
        f"</placement><monitoring><state>disabled</state></monitoring>{place}"
        f"{'' if public is None else f'<ipAddress>{public}</ipAddress>'}{why}"
        "<architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>"
        f"<rootDeviceName>/dev/xvda</rootDeviceName>{_devices(machine)}"
        f"<virtualizationType>hvm</virtualizationType><clientToken>{machine.id[2:]}</clientToken>"
        f"{tag_set(machine.tags)}<hypervisor>xen</hypervisor><ebsOptimized>true</ebsOptimized>"
        "<enaSupport>true</enaSupport><cpuOptions><coreCount>1</coreCount><threadsPerCore>2</threadsPerCore>"
        "</cpuOptions><capacityReservationSpecification><capacityReservationPreference>open"
        "</capacityReservationPreference></capacityReservationSpecification><hibernationOptions><configured>false"
        "</configured></hibernationOptions><enclaveOptions><enabled>false</enabled></enclaveOptions><metadataOptions>"
        "<state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>"
        "<httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled</httpProtocolIpv6><instanceMetadataTags>"
        "disabled</instanceMetadataTags></metadataOptions><maintenanceOptions><autoRecovery>default</autoRecovery>"
        "<rebootMigration>default</rebootMigration></maintenanceOptions><platformDetails>Linux/UNIX</platformDetails>"
        f"<usageOperation>RunInstances</usageOperation><usageOperationUpdateTime>{launched}"
        "</usageOperationUpdateTime><privateDnsNameOptions><hostnameType>ip-name</hostnameType>"
        "<enableResourceNameDnsARecord>false</enableResourceNameDnsARecord><enableResourceNameDnsAAAARecord>false"
        "</enableResourceNameDnsAAAARecord></privateDnsNameOptions><bootMode>uefi-preferred</bootMode>"
        "<currentInstanceBootMode>legacy-bios</currentInstanceBootMode><networkPerformanceOptions>"
        "<bandwidthWeighting>default</bandwidthWeighting></networkPerformanceOptions><operator><managed>false</managed>"
        "</operator></item>"
    )


def _place(machine: SeededMachine, address: str) -> str:
    subnet, network = identifier("subnet", machine.account_id, machine.zone), _vpc(machine)
    return (
        f"<privateIpAddress>{address}</privateIpAddress><subnetId>{subnet}</subnetId><vpcId>{network}</vpcId>"
        f"<sourceDestCheck>true</sourceDestCheck>{_group(machine)}"
    )


def _vpc(machine: SeededMachine) -> str:
    return identifier("vpc", machine.account_id, machine.region)


def _network(machine: SeededMachine, address: str, name: str, public: str | None) -> str:
    interface, attachment = identifier("eni", machine.id), identifier("eni-attach", machine.id)
    subnet = identifier("subnet", machine.account_id, machine.zone)
    octets = ":".join(f"{(machine.number >> shift) & 255:02x}" for shift in (16, 8, 0))
    association = (
        ""
        if public is None
        else (
            f"<association><ipOwnerId>amazon</ipOwnerId><publicDnsName>ec2-{public.replace('.', '-')}."
            f"{machine.region}.compute.amazonaws.com</publicDnsName><publicIp>{public}</publicIp></association>"
        )
    )
    return (
        f"<networkInterfaceSet><item><networkInterfaceId>{interface}</networkInterfaceId><subnetId>{subnet}</subnetId>"
        f"<vpcId>{_vpc(machine)}</vpcId><description/><ownerId>{machine.account_id}</ownerId><status>in-use</status>"
        f"<macAddress>02:5a:6f:{octets}</macAddress><privateIpAddress>{address}</privateIpAddress><privateDnsName>"
        f"{name}</privateDnsName><sourceDestCheck>true</sourceDestCheck>{_group(machine)}<attachment><attachmentId>"
        f"{attachment}</attachmentId><deviceIndex>0</deviceIndex><status>attached</status><attachTime>"
        f"{moment(machine.launched_s)}</attachTime><deleteOnTermination>true</deleteOnTermination><networkCardIndex>0"
        f"</networkCardIndex></attachment>{association}<privateIpAddressesSet><item><privateIpAddress>{address}"
        f"</privateIpAddress><privateDnsName>{name}</privateDnsName><primary>true</primary>{association}</item>"
        "</privateIpAddressesSet><ipv6AddressesSet/><interfaceType>interface</interfaceType><operator><managed>false"
        "</managed></operator></item></networkInterfaceSet>"
    )


def _devices(machine: SeededMachine) -> str:
    if machine.state == "terminated":
        return "<blockDeviceMapping/>"
    attached = moment(machine.launched_s + 1)
    items = "".join(
        f"<item><deviceName>{each.device}</deviceName><ebs><volumeId>{each.id}</volumeId><status>attached</status>"
        f"<attachTime>{attached}</attachTime><deleteOnTermination>{str(each.goes_with_machine).lower()}"
        "</deleteOnTermination><operator><managed>false</managed></operator></ebs></item>"
        for each in machine.volumes
    )
    return f"<blockDeviceMapping>{items}</blockDeviceMapping>"


def volume_items(volumes: Iterable[tuple[SeededMachine, SeededVolume]]) -> bytes:
    """The items alone."""
    return "".join(_volume(machine, volume) for machine, volume in volumes).encode()


def _volume(machine: SeededMachine, volume: SeededVolume) -> str:
    is_attached = machine.state != "terminated"
    made = moment(machine.launched_s + 1)
    attachment = (
        f"<item><volumeId>{volume.id}</volumeId><instanceId>{machine.id}</instanceId><device>{volume.device}</device>"
        f"<status>attached</status><attachTime>{made}</attachTime><deleteOnTermination>"
        f"{str(volume.goes_with_machine).lower()}</deleteOnTermination></item>"
    )
    return (
        f"<item><volumeId>{volume.id}</volumeId><size>{volume.size_gib}</size><snapshotId/><availabilityZone>"
        f"{machine.zone}</availabilityZone><status>{'in-use' if is_attached else 'available'}</status>"
        f"<createTime>{made}</createTime><attachmentSet>{attachment if is_attached else ''}</attachmentSet>"
        f"{tag_set(volume.tags)}<volumeType>gp3</volumeType><iops>3000</iops><encrypted>true</encrypted>"
        "<multiAttachEnabled>false</multiAttachEnabled><throughput>125</throughput><operator><managed>false</managed>"
        "</operator></item>"
    )
