pub trait Users: ::core::marker::Send + ::core::marker::Sync {
    fn find(
        &self,
        ctx: &rpcx::Context,
        limit: u32,
        name: &str,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send;
    fn count(
        &self,
        group: String,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send;
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
enum __UsersIndex {
    M0,
    M1,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __UsersIndex {
    const ALL: &'static [Self] = &[Self::M0, Self::M1];
    const fn service() -> &'static ::rpcx::__private::ServiceInfo {
        static INFO: ::rpcx::__private::ServiceInfo = ::rpcx::__private::ServiceInfo::new(
                "Users",
            )
            .select(::rpcx::__private::SelectMode::ConsistentHash)
            .with_methods(__UsersIndex::methods());
        &INFO
    }
    const fn methods() -> &'static [&'static ::rpcx::__private::MethodInfo] {
        static METHODS: &[&::rpcx::__private::MethodInfo] = &[
            &::rpcx::__private::MethodInfo::declared(
                    "Users",
                    "Find",
                    &[
                        ::rpcx::__private::ParameterInfo::new("limit", "u32"),
                        ::rpcx::__private::ParameterInfo::new("name", "String"),
                    ],
                    "u64",
                )
                .timeout(::core::time::Duration::from_millis(3000u64))
                .attempt_timeout(::core::time::Duration::from_millis(1000u64))
                .fail_mode(::rpcx::__private::FailMode::Failover)
                .retries(5u32)
                .retry(::rpcx::__private::RetryRule::AtLeastOnce)
                .retry_interval(::core::time::Duration::from_millis(50u64))
                .backup_latency(::core::time::Duration::from_millis(20u64))
                .hash_key(1usize),
            &::rpcx::__private::MethodInfo::declared(
                    "Users",
                    "Count",
                    &[::rpcx::__private::ParameterInfo::new("group", "String")],
                    "u64",
                )
                .timeout(::core::time::Duration::from_millis(3000u64))
                .attempt_timeout(::core::time::Duration::from_millis(1000u64))
                .fail_mode(::rpcx::__private::FailMode::Failbackup)
                .retries(0u32)
                .retry(::rpcx::__private::RetryRule::Safe)
                .retry_interval(::core::time::Duration::from_millis(50u64))
                .backup_latency(::core::time::Duration::from_millis(5u64))
                .hash_key(0usize)
                .idempotent(),
        ];
        METHODS
    }
    const fn info(self) -> &'static ::rpcx::__private::MethodInfo {
        Self::methods()[self as ::core::primitive::usize]
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct __UsersMethods;
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __UsersMethods {
    fn find() -> ::rpcx::__private::Method<
        (u32, ::rpcx::__private::String),
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __UsersIndex::M0.info(),
            {
                ::rpcx::__private::borrowed::<::rpcx::__private::String>();
                ::rpcx::__private::arguments2::<
                    u32,
                    ::rpcx::__private::String,
                >(&["limit", "name"])
            },
            ::rpcx::__private::reply::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
    fn count() -> ::rpcx::__private::Method<
        String,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __UsersIndex::M1.info(),
            ::rpcx::__private::argument::<String>().complete(),
            ::rpcx::__private::reply::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
}
