"""Contains all the data models used in inputs/outputs"""

from .agent_availability import AgentAvailability
from .command_output import CommandOutput
from .problem import Problem
from .problem_extensions import ProblemExtensions
from .problem_item import ProblemItem

__all__ = (
    "AgentAvailability",
    "CommandOutput",
    "Problem",
    "ProblemExtensions",
    "ProblemItem",
)
