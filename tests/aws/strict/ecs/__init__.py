"""Amazon ECS, written anew: moto keeps too few of its fields and starts no tasks.

Sources: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/, the page of each operation, and
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ where a comment names the page.
"""
