"""Where moto does less than AWS, and what is done instead; `invoke local.status` prints this list.

A key is a resource type, or a type and one input of it (`aws:sqs/queue:Queue.redriveAllowPolicy`): then moto does not give that
input back, so the state keeps the value that was sent, and drift in it cannot be seen. A test fails on an entry that moto no longer needs.
"""

GAPS: dict[str, str] = {
    "aws:cloudwatch/logGroup:LogGroup": "moto cannot change the key of a log group; a change of kmsKeyId makes the group anew under its name, without its events",
    "aws:cloudwatch/logGroup:LogGroup.logGroupClass": "moto does not keep the class of a log group; the state keeps the value that was sent",
    "aws:cloudwatch/logGroup:LogGroup.skipDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:dynamodb/table:Table": "moto changes neither a table's encryption nor starts a stream a second time: a changed serverSideEncryption replaces the table, and a stream that was switched off stays off",
    "aws:dynamodb/table:Table.tableClass": "moto does not keep it; the state keeps the value that was sent",
    "aws:ec2/flowLog:FlowLog.destinationOptions": "moto does not keep how the files are laid out in S3; the state keeps the value that was sent",
    "aws:ec2/instance:Instance.monitoring": "moto does not switch monitoring of an instance that exists; the state keeps the value that was sent",
    "aws:ec2/instance:Instance.userDataReplaceOnChange": "says what an update does, and is kept by the state alone, as with the AWS provider",
    "aws:ec2/securityGroup:SecurityGroup.revokeRulesOnDelete": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "moto makes no network interfaces for subnets that are added later; networkInterfaceIds lists those of the first ones",
    "aws:ec2/vpcEndpoint:VpcEndpoint.privateDnsEnabled": "moto does not change it in an endpoint that exists; the state keeps the value that was sent",
    "aws:iam/role:Role.forceDetachPolicies": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:kms/key:Key.bypassPolicyLockoutSafetyCheck": "used when the policy is set, and kept by the state alone, as with the AWS provider",
    "aws:kms/key:Key.deletionWindowInDays": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:kms/key:Key.rotationPeriodInDays": "moto does not keep the period of rotation; the state keeps the value that was sent",
    "aws:lambda/function:Function.architectures": "moto keeps what the creation said and does not update it; the state keeps the value that was sent",
    "aws:lambda/function:Function.code": "moto does not hand the package out again; the state keeps the archive, and codeSha256 says what moto holds",
    "aws:lambda/function:Function.deadLetterConfig": "moto does not keep it; the state keeps the value that was sent",
    "aws:lambda/function:Function.ephemeralStorage": "moto keeps what the creation said and does not update it; the state keeps the value that was sent",
    "aws:lambda/function:Function.kmsKeyArn": "moto keeps what the creation said and does not update it; the state keeps the value that was sent",
    "aws:lambda/function:Function.loggingConfig": "moto does not keep it; the state keeps the value that was sent",
    "aws:lambda/function:Function.publish": "says what creation and update do, and is kept by the state alone, as with the AWS provider",
    "aws:lambda/function:Function.s3Bucket": "moto does not say where the package came from; the state keeps the value that was sent",
    "aws:lambda/function:Function.s3Key": "moto does not say where the package came from; the state keeps the value that was sent",
    "aws:lambda/function:Function.sourceCodeHash": "the program's own, kept by the state alone, as with the AWS provider; codeSha256 is what AWS computes",
    "aws:lambda/function:Function.tracingConfig": "moto keeps what the creation said and does not update it; the state keeps the value that was sent",
    "aws:s3/bucket:Bucket.forceDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration": "moto takes its calls for the bucket's own creation and deletion; it is kept in Systems Manager, below /localcloud/s3/",
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration.transitionDefaultMinimumObjectSize": "moto answers all_storage_classes_128K whatever was sent; the state keeps the value that was sent",
    "aws:sns/topic:Topic.signatureVersion": "moto does not keep the signature version; the state keeps the value that was sent",
    "aws:sns/topic:Topic.tracingConfig": "moto does not keep the tracing mode; the state keeps the value that was sent",
    "aws:sns/topicSubscription:TopicSubscription.confirmationTimeoutInMinutes": "how long to wait for a confirmation; kept by the state alone, as with the AWS provider",
    "aws:sns/topicSubscription:TopicSubscription.endpointAutoConfirms": "moto confirms every subscription at once; kept by the state alone, as with the AWS provider",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": "moto does not change the group, prefix list or IPv6 network of a rule that exists; the rule is replaced",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": "moto does not change the group, prefix list or IPv6 network of a rule that exists; the rule is replaced",
}
