"""Amazon Web Services, by boto3."""
