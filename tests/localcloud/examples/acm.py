"""Examples of AWS Certificate Manager."""

from moto import settings

from tests.localcloud.examples import Example, Ref

# moto would let every test wait for a minute before it calls a certificate issued.
settings.ACM_VALIDATION_WAIT = 0

CERTIFICATE = Example(
    type="aws:acm/certificate:Certificate",
    inputs={
        "domainName": "payments.example.com",
        "subjectAlternativeNames": ["*.payments.example.com", "pay.example.com"],
        "validationMethod": "DNS",
        "keyAlgorithm": "EC_prime256v1",
        "options": {"certificateTransparencyLoggingPreference": "DISABLED"},
        "tags": {"Environment": "dev", "Team": "payments"},
    },
    updates={"tags": {"Environment": "staging", "CostCenter": "42"}},
    replaces={
        "domainName": "pay.example.com",
        "subjectAlternativeNames": ["pay.example.com"],
        "keyAlgorithm": "RSA_2048",
        "options": {"certificateTransparencyLoggingPreference": "ENABLED"},
    },
    bad={
        "domainName": ("payments", "-.example.com", f"{'x' * 60}.example.com"),
        "subjectAlternativeNames": (["payments"], ["a.example.com"] * 101),
        "validationMethod": ("EMAIL", None),
        "keyAlgorithm": "RSA_512",
        "options": {"export": "yes"},
        "domain": "payments.example.com",
    },
    drift=lambda aws, arn: aws.client("acm").add_tags_to_certificate(CertificateArn=arn, Tags=[{"Key": "Team", "Value": "by hand"}]),
    drifts="tags",
)

NAMED_TWICE = Example(
    type="aws:acm/certificate:Certificate",
    label="with its own name among the alternatives",
    inputs={"domainName": "example.com", "subjectAlternativeNames": ["example.com", "*.example.com"], "validationMethod": "DNS"},
)

VALIDATION = Example(
    type="aws:acm/certificateValidation:CertificateValidation",
    needs={"certificate": CERTIFICATE},
    inputs={
        "certificateArn": Ref("certificate", "arn"),
        "validationRecordFqdns": [Ref("certificate", f"domainValidationOptions.{position}.resourceRecordName") for position in range(3)],
    },
    replaces={"certificateArn": "other", "validationRecordFqdns": []},
    bad={"certificateArn": None, "fqdns": []},
    stays="it stands for the wait until the certificate was issued, and an issued certificate stays so",
)

EXAMPLES = (CERTIFICATE, NAMED_TWICE, VALIDATION)
