"""The catalogue of real deployments: correct servers in the frameworks and behind the front ends that people use."""
