"""The four Pulumi projects; each folder is a program that `pulumi` runs as it is."""
