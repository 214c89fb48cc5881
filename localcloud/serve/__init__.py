"""Runs what is deployed on the local cloud: moto records functions, APIs, queues' consumers, schedules, services and load balancers; here they work.

What is served is read from the cloud (`deployed`), never from a program or its settings: a wrong variable, a missing permission or route,
or a dependency that is not in a function's package shows here as it would on AWS.
"""
