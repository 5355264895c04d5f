"""The JSON objects of requests and responses."""

from .agent_availability import AgentAvailability
from .command_output import CommandOutput
from .command_start import CommandStart
from .network_usage import NetworkUsage
from .problem import Problem
from .problem_extensions import ProblemExtensions
from .problem_item import ProblemItem
from .space_usage import SpaceUsage
from .started_command import StartedCommand
from .vps_item import VpsItem
from .vps_page import VpsPage
from .vps_status import VpsStatus

__all__ = (
    "AgentAvailability",
    "CommandOutput",
    "CommandStart",
    "NetworkUsage",
    "Problem",
    "ProblemExtensions",
    "ProblemItem",
    "SpaceUsage",
    "StartedCommand",
    "VpsItem",
    "VpsPage",
    "VpsStatus",
)
