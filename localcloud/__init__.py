"""AWS on this machine: moto behind a Pulumi provider, one table of resource types for both engine and rehearsal.

The package knows Pulumi, boto3 and moto, and nothing of payments or of the programs that use it.
"""
