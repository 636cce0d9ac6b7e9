//! The members of every request body, as tables (pai-dlc.md §5, §6.3).

use super::decode::Member;
use super::decode::Shape::{Flag, Free, Integer, List, Number, Object, Text, TextMap, Texts};

/// `CreateJob` (§5.1). `ElasticSpec` and `DebuggerConfigContent` are documented as not supported.
pub(super) const CREATE_JOB: &[Member] = &[
    ("DisplayName", Text),
    ("JobType", Text),
    ("JobSpecs", List(JOB_SPEC)),
    ("UserCommand", Text),
    ("WorkspaceId", Text),
    ("ResourceId", Text),
    ("Priority", Integer),
    ("Envs", TextMap),
    (
        "CustomEnvs",
        List(&[("Key", Text), ("Value", Text), ("Visible", Text)]),
    ),
    ("DataSources", List(DATA_SOURCE)),
    (
        "CodeSource",
        Object(&[
            ("CodeSourceId", Text),
            ("Branch", Text),
            ("Commit", Text),
            ("MountPath", Text),
            ("IsSharedMountPath", Flag),
        ]),
    ),
    (
        "UserVpc",
        Object(&[
            ("VpcId", Text),
            ("SwitchId", Text),
            ("SecurityGroupId", Text),
            ("ExtendedCIDRs", Texts),
            ("DefaultRoute", Text),
        ]),
    ),
    ("ThirdpartyLibs", Texts),
    ("ThirdpartyLibDir", Text),
    ("JobMaxRunningTimeMinutes", Integer),
    ("Settings", Object(SETTINGS)),
    ("Accessibility", Text),
    ("SuccessPolicy", Text),
    ("SchedulingStrategy", Text),
    ("Options", Text),
    ("Description", Text),
    ("CredentialConfig", Object(CREDENTIAL_CONFIG)),
    ("TemplateId", Text),
    ("TemplateVersion", Integer),
    ("ElasticSpec", Free),
    ("DebuggerConfigContent", Text),
];

/// `UpdateJob` (§3.5).
pub(super) const UPDATE_JOB: &[Member] = &[
    ("Accessibility", Text),
    ("Description", Text),
    ("JobSpecs", List(JOB_SPEC)),
    ("Priority", Integer),
    ("UserCommand", Text),
];

/// `CreateDataset` (§6.3).
pub(super) const CREATE_DATASET: &[Member] = &[
    ("Name", Text),
    ("DataSourceType", Text),
    ("Uri", Text),
    ("Property", Text),
    ("WorkspaceId", Text),
    ("Options", Text),
    ("Accessibility", Text),
    ("Description", Text),
    ("DataType", Text),
    ("Labels", List(LABEL)),
    ("MountAccessReadWriteRoleIdList", Texts),
    ("ProviderType", Text),
    ("Provider", Text),
    ("ImportInfo", Text),
    ("SourceType", Text),
    ("SourceId", Text),
    ("Edition", Text),
    ("UserId", Text),
    ("DataSize", Integer),
    ("DataCount", Integer),
    ("VersionDescription", Text),
    ("VersionLabels", List(LABEL)),
    ("DryRun", Flag),
];

const LABEL: &[Member] = &[("Key", Text), ("Value", Text)];

/// §5.3.
const JOB_SPEC: &[Member] = &[
    ("Type", Text),
    ("Image", Text),
    ("PodCount", Integer),
    ("EcsSpec", Text),
    (
        "ResourceConfig",
        Object(&[
            ("CPU", Text),
            ("GPU", Text),
            ("Memory", Text),
            ("SharedMemory", Text),
            ("GPUType", Text),
        ]),
    ),
    (
        "ImageConfig",
        Object(&[
            ("DockerRegistry", Text),
            ("Username", Text),
            ("Password", Text),
            ("Auth", Text),
        ]),
    ),
    ("SpotSpec", Object(SPOT_SPEC)),
    (
        "ElasticSpotSpecs",
        List(&[
            ("InstanceType", Text),
            ("SpotStrategy", Text),
            ("SpotDiscountLimit", Number),
            ("SpotPriceLimit", Number),
        ]),
    ),
    ("UseSpotInstance", Flag),
    ("RestartPolicy", Text),
    ("UserCommand", Text),
    ("ExtraPodSpec", Object(EXTRA_POD_SPEC)),
    (
        "ServiceSpec",
        Object(&[
            ("DefaultPort", Integer),
            ("ExtraPorts", Free),
            ("ServiceMode", Text),
        ]),
    ),
    (
        "StartupDependencies",
        List(&[("Type", Text), ("OnPhase", Text), ("MinReplicas", Integer)]),
    ),
    (
        "LocalMountSpecs",
        List(&[
            ("LocalPath", Text),
            ("MountPath", Text),
            ("MountMode", Text),
        ]),
    ),
    (
        "SystemDisk",
        Object(&[
            ("Category", Text),
            ("PerformanceLevel", Text),
            ("Size", Integer),
        ]),
    ),
    (
        "AssignNodeSpec",
        Object(&[
            ("EnableAssignNode", Flag),
            ("NodeNames", Text),
            ("AntiAffinityNodeNames", Text),
            ("HyperNodes", Text),
            ("AntiAffinityHyperNodes", Text),
        ]),
    ),
    (
        "AutoScalingSpec",
        Object(&[
            ("MinReplicas", Integer),
            ("MaxReplicas", Integer),
            ("ScalingStrategy", Text),
            ("PodsToDelete", Free),
            ("AutoscalingMetricSpec", Free),
        ]),
    ),
    ("IsChief", Flag),
    // The old misspelling, deprecated.
    ("IsCheif", Flag),
    ("ConsiderInSuccessPolicy", Flag),
    ("QuotaId", Text),
    ("OversoldType", Text),
    ("Driver", Text),
    ("HyperNodeSchedulingConfig", Free),
];

const SPOT_SPEC: &[Member] = &[
    ("SpotStrategy", Text),
    ("SpotDiscountLimit", Number),
    ("SpotPriceLimit", Number),
];

const EXTRA_POD_SPEC: &[Member] = &[
    ("InitContainers", List(CONTAINER)),
    ("SideCarContainers", List(CONTAINER)),
    ("SharedVolumeMountPaths", Texts),
    (
        "Lifecycle",
        Object(&[("PostStart", Object(HOOK)), ("PreStop", Object(HOOK))]),
    ),
    ("MainContainerSecurityContext", Free),
    ("PodAnnotations", TextMap),
    ("PodLabels", TextMap),
];

const HOOK: &[Member] = &[("Exec", Object(&[("Command", Texts)]))];

const CONTAINER: &[Member] = &[
    ("Name", Text),
    ("Image", Text),
    ("Command", Texts),
    ("Args", Texts),
    ("WorkingDir", Text),
    ("Env", List(&[("Name", Text), ("Value", Text)])),
    (
        "Resources",
        Object(&[("Limits", TextMap), ("Requests", TextMap)]),
    ),
    ("SecurityContext", Free),
];

/// §5.5.
const DATA_SOURCE: &[Member] = &[
    ("DataSourceId", Text),
    ("DataSourceVersion", Text),
    ("Uri", Text),
    ("MountPath", Text),
    ("MountAccess", Text),
    ("Options", Text),
    ("EnableCache", Flag),
    ("AccessPointId", Text),
    ("RoleArn", Text),
    ("RoleChain", Free),
];

/// §5.4.
const SETTINGS: &[Member] = &[
    ("Tags", TextMap),
    ("JobReservedMinutes", Integer),
    ("JobReservedPolicy", Text),
    ("EnableErrorMonitoringInAIMaster", Flag),
    ("ErrorMonitoringArgs", Text),
    ("EnableSanityCheck", Flag),
    ("SanityCheckArgs", Text),
    ("EnableRDMA", Flag),
    ("AllocateAllRDMADevices", Flag),
    ("OversoldType", Text),
    ("EnableTideResource", Flag),
    ("EnableCPUAffinity", Flag),
    ("EnableOssAppend", Flag),
    ("DisableEcsStockCheck", Flag),
    ("Driver", Text),
    ("Shell", Text),
    ("TerminationGracePeriodSeconds", Integer),
    ("ElasticSpotJobMaxRestartTimes", Integer),
    ("AllowUnschedulableNodes", Flag),
    ("EnableDSWDev", Flag),
    ("BusinessUserId", Text),
    ("Caller", Text),
    ("PipelineId", Text),
    ("ModelConfig", Free),
    ("DataJuicerConfig", Free),
    ("AdvancedSettings", Free),
];

/// §5.1.
const CREDENTIAL_CONFIG: &[Member] = &[
    ("EnableCredentialInject", Flag),
    ("AliyunEnvRoleKey", Text),
    (
        "CredentialConfigItems",
        List(&[
            ("Key", Text),
            ("Type", Text),
            (
                "Roles",
                List(&[
                    ("RoleType", Text),
                    ("RoleArn", Text),
                    ("AssumeRoleFor", Text),
                    ("Policy", Text),
                ]),
            ),
        ]),
    ),
];
