"""Where moto does less than AWS, and what is done instead; `invoke local.status` prints this list.

A key is a resource type, or a type and one input of it (`aws:sqs/queue:Queue.redriveAllowPolicy`): then moto does not give that
input back, so the state keeps the value that was sent, and drift in it cannot be seen. A test fails on an entry that moto no longer needs.
"""

GAPS: dict[str, str] = {
    "aws:acm/certificate:Certificate": "moto has no UpdateCertificateOptions: other options replace the certificate, which AWS would change in place",
    "aws:acm/certificate:Certificate.keyAlgorithm": "moto makes every certificate with RSA_2048; the state keeps the value that was sent",
    "aws:acm/certificateValidation:CertificateValidation.validationRecordFqdns": (
        "compared with the certificate's records at creation, and kept by the state alone, as with the AWS provider"
    ),
    "aws:apigateway/apiKey:ApiKey.tags": "moto keeps the tags of the creation and has no call that changes them; the state keeps the tags that were sent",
    "aws:apigateway/deployment:Deployment.description": (
        "moto keeps the description of the creation and has no UpdateDeployment; the state keeps the value that was sent"
    ),
    "aws:apigateway/deployment:Deployment.triggers": "says when to deploy anew, and is kept by the state alone, as with the AWS provider",
    "aws:apigateway/domainName:DomainName": "moto has no UpdateDomainName: an update makes the name anew, so that its regionalDomainName changes",
    "aws:apigateway/methodSettings:MethodSettings": (
        "moto cannot remove the settings of a stage's method: deletion puts API Gateway's defaults back, with an empty logging level"
    ),
    "aws:apigateway/model:Model": "moto has no UpdateModel: an update makes the model anew under the same name",
    "aws:apigateway/resource:Resource": "moto has no UpdateResource: a new path part or parent replaces the resource, which AWS would rename",
    "aws:apigateway/restApi:RestApi.minimumCompressionSize": (
        "moto keeps the size of the creation and does not update it; the state keeps the value that was sent"
    ),
    "aws:apigateway/restApi:RestApi.tags": "moto keeps the tags of the creation and has no call that changes them; the state keeps the tags that were sent",
    "aws:apigateway/usagePlan:UsagePlan.tags": "moto keeps the tags of the creation and has no call that changes them; the state keeps the tags that were sent",
    "aws:appautoscaling/target:Target.tags": "moto keeps none; the state keeps the tags that were sent",
    "aws:cloudwatch/eventRule:EventRule.forceDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:cloudwatch/eventTarget:EventTarget.forceDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:cloudwatch/logGroup:LogGroup": "moto cannot change a log group's key: a changed kmsKeyId makes the group anew under its name, without its events",
    "aws:cloudwatch/logGroup:LogGroup.logGroupClass": "moto does not keep the class of a log group; the state keeps the value that was sent",
    "aws:cloudwatch/logGroup:LogGroup.skipDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:cloudwatch/metricAlarm:MetricAlarm": "moto takes percentiles (p99) only as extendedStatistic; it refuses an alarm on a trimmed mean, IQM and the like",
    "aws:dynamodb/resourcePolicy:ResourcePolicy.confirmRemoveSelfResourceAccess": "used when the policy is put, and kept by the state alone",
    "aws:dynamodb/table:Table": (
        "moto changes neither a table's encryption nor starts a stream a second time: "
        "a changed serverSideEncryption replaces the table, and a stream that was switched off stays off"
    ),
    "aws:dynamodb/table:Table.tableClass": "moto does not keep it; the state keeps the value that was sent",
    "aws:ec2/flowLog:FlowLog.destinationOptions": "moto does not keep how the files are laid out in S3; the state keeps the value that was sent",
    "aws:ec2/instance:Instance.monitoring": "moto does not switch monitoring of an instance that exists; the state keeps the value that was sent",
    "aws:ec2/instance:Instance.userDataReplaceOnChange": "says what an update does, and is kept by the state alone, as with the AWS provider",
    "aws:ec2/securityGroup:SecurityGroup.revokeRulesOnDelete": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:ec2/vpc:Vpc": "moto keeps the network ACL of a VPC that was deleted, and does not let go of it; it stays until the local cloud is stopped",
    "aws:ec2/vpcEndpoint:VpcEndpoint": "moto makes no network interfaces for subnets that are added later; networkInterfaceIds lists those of the first ones",
    "aws:ec2/vpcEndpoint:VpcEndpoint.privateDnsEnabled": "moto does not change it in an endpoint that exists; the state keeps the value that was sent",
    "aws:ecr/repository:Repository.forceDelete": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:elasticache/replicationGroup:ReplicationGroup": (
        "encryption in transit that is switched on or off replaces the group, which AWS does in place from Redis 7.0.5 on"
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup.applyImmediately": "every change is applied at once; kept by the state alone, as with the AWS provider",
    "aws:elasticache/replicationGroup:ReplicationGroup.authToken": "ElastiCache never answers it; kept by the state alone, as with the AWS provider",
    "aws:elasticache/replicationGroup:ReplicationGroup.authTokenUpdateStrategy": (
        "says what an update does, and is kept by the state alone, as with the AWS provider"
    ),
    "aws:elasticache/replicationGroup:ReplicationGroup.finalSnapshotIdentifier": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:ecs/cluster:Cluster": "moto keeps a cluster that was deleted as INACTIVE, and would delete one with services in it; that is refused here, as in AWS",
    "aws:ecs/service:Service": "moto runs no tasks: as many run at once as are wanted, so that every service is steady",
    "aws:ecs/service:Service.forceDelete": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:ecs/service:Service.forceNewDeployment": "says what an update does, and is kept by the state alone, as with the AWS provider",
    "aws:ecs/service:Service.sigintRollback": "says what an interrupted deployment does, and is kept by the state alone, as with the AWS provider",
    "aws:ecs/service:Service.triggers": "says when to deploy anew, and is kept by the state alone, as with the AWS provider",
    "aws:ecs/service:Service.waitForSteadyState": "says what a deployment waits for, and is kept by the state alone, as with the AWS provider",
    "aws:ecs/taskDefinition:TaskDefinition.skipDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:ecs/taskDefinition:TaskDefinition.trackLatest": "says which revision a refresh reads, and is kept by the state alone, as with the AWS provider",
    "aws:iam/role:Role.forceDetachPolicies": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": "moto has AWS's own policies with MOTO_IAM_LOAD_MANAGED_POLICIES=true only",
    "aws:kms/key:Key": "moto applies a Deny of kms:* or kms:DescribeKey to everybody, whatever its condition; a key with such a policy cannot be made",
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
    "aws:rds/cluster:Cluster.allowMajorVersionUpgrade": "used when the cluster is modified only, and kept by the state alone, as with the AWS provider",
    "aws:rds/cluster:Cluster.applyImmediately": "moto applies every change at once; kept by the state alone, as with the AWS provider",
    "aws:rds/cluster:Cluster.deleteAutomatedBackups": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:rds/cluster:Cluster.enabledCloudwatchLogsExports": "moto keeps what the creation said and does not update it; the state keeps the value that was sent",
    "aws:rds/cluster:Cluster.finalSnapshotIdentifier": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:rds/cluster:Cluster.iamDatabaseAuthenticationEnabled": (
        "moto keeps what the creation said and does not update it; the state keeps the value that was sent"
    ),
    "aws:rds/cluster:Cluster.masterPassword": "RDS never answers it; kept by the state alone, as with the AWS provider",
    "aws:rds/cluster:Cluster.performanceInsightsEnabled": "moto does not keep it; the state keeps the value that was sent",
    "aws:rds/cluster:Cluster.skipFinalSnapshot": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:rds/clusterInstance:ClusterInstance": "every instance of an account has the same DbiResourceId in moto",
    "aws:rds/clusterInstance:ClusterInstance.applyImmediately": "moto applies every change at once; kept by the state alone, as with the AWS provider",
    "aws:rds/clusterInstance:ClusterInstance.performanceInsightsEnabled": "moto does not keep it; the state keeps the value that was sent",
    "aws:lb/loadBalancer:LoadBalancer": "moto gives every load balancer the same hosted zone, Z2P70J7EXAMPLE, and listens to nobody",
    "aws:lb/targetGroup:TargetGroup": "moto refuses a deregistrationDelay of 3600 seconds, which AWS takes; it takes up to 3599",
    "aws:rds/instance:Instance": (
        "every instance of an account has the same DbiResourceId in moto, so the id is the identifier; "
        "moto changes no port and gives no hostedZoneId: a changed identifier or port replaces the instance"
    ),
    "aws:rds/instance:Instance.allowMajorVersionUpgrade": "used when the instance is modified only, and kept by the state alone, as with the AWS provider",
    "aws:rds/instance:Instance.applyImmediately": "moto applies every change at once; kept by the state alone, as with the AWS provider",
    "aws:rds/instance:Instance.deleteAutomatedBackups": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:rds/instance:Instance.finalSnapshotIdentifier": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:rds/instance:Instance.password": "RDS never answers it; kept by the state alone, as with the AWS provider",
    "aws:rds/instance:Instance.performanceInsightsEnabled": "moto does not keep it; the state keeps the value that was sent",
    "aws:rds/instance:Instance.skipFinalSnapshot": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:route53/record:Record.allowOverwrite": "used at creation only, and kept by the state alone, as with the AWS provider",
    "aws:route53/zone:Zone.forceDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:s3/bucket:Bucket.forceDestroy": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:s3/bucketIntelligentTieringConfiguration:BucketIntelligentTieringConfiguration": (
        "moto takes its calls for the bucket's own creation and deletion; it is kept in Systems Manager, below /localcloud/s3/"
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration.transitionDefaultMinimumObjectSize": (
        "moto answers all_storage_classes_128K whatever was sent; the state keeps the value that was sent"
    ),
    "aws:s3/bucketPolicy:BucketPolicy": "moto knows nothing of a request that a condition could be held to: statements with conditions neither allow nor deny",
    "aws:secretsmanager/secret:Secret": "moto cannot clear a description: the last one stays until there is another",
    "aws:secretsmanager/secret:Secret.recoveryWindowInDays": "used at deletion only, and kept by the state alone, as with the AWS provider",
    "aws:secretsmanager/secretPolicy:SecretPolicy.blockPublicPolicy": "moto puts a policy without looking for public access; kept by the state alone",
    "aws:secretsmanager/secretVersion:SecretVersion": "AWS keeps the current value until the secret goes; here its labels are taken off",
    "aws:sns/topic:Topic.signatureVersion": "moto does not keep the signature version; the state keeps the value that was sent",
    "aws:sns/topic:Topic.tracingConfig": "moto does not keep the tracing mode; the state keeps the value that was sent",
    "aws:sns/topicSubscription:TopicSubscription.confirmationTimeoutInMinutes": "kept by the state alone, as with the AWS provider",
    "aws:sns/topicSubscription:TopicSubscription.endpointAutoConfirms": "moto confirms all at once; the state keeps the value that was sent",
    "aws:sqs/queue:Queue.redriveAllowPolicy": "moto does not keep it; the state keeps the value that was sent",
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "moto does not change the group, prefix list or IPv6 network of a rule that exists; the rule is replaced"
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "moto does not change the group, prefix list or IPv6 network of a rule that exists; the rule is replaced"
    ),
    "aws:wafv2/webAcl:WebAcl": "moto counts every web ACL as 3 capacity units, clears no description, and keeps the last rules when all are taken away",
}
