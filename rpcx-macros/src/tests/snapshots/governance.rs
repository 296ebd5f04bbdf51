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
            &::rpcx::__private::MethodInfo::new("Users", "Find")
                .timeout(::core::time::Duration::from_millis(3000u64))
                .attempt_timeout(::core::time::Duration::from_millis(1000u64))
                .fail_mode(::rpcx::__private::FailMode::Failover)
                .retries(5u32)
                .retry(::rpcx::__private::RetryRule::AtLeastOnce)
                .retry_interval(::core::time::Duration::from_millis(50u64))
                .backup_latency(::core::time::Duration::from_millis(20u64))
                .hash_key(1usize)
                .parameters(
                    &[
                        ::rpcx::__private::ParameterInfo::new("limit", "u32"),
                        ::rpcx::__private::ParameterInfo::new("name", "String"),
                    ],
                )
                .reply("u64"),
            &::rpcx::__private::MethodInfo::new("Users", "Count")
                .timeout(::core::time::Duration::from_millis(3000u64))
                .attempt_timeout(::core::time::Duration::from_millis(1000u64))
                .fail_mode(::rpcx::__private::FailMode::Failbackup)
                .retries(0u32)
                .retry(::rpcx::__private::RetryRule::Safe)
                .retry_interval(::core::time::Duration::from_millis(50u64))
                .backup_latency(::core::time::Duration::from_millis(5u64))
                .hash_key(0usize)
                .idempotent()
                .parameters(&[::rpcx::__private::ParameterInfo::new("group", "String")])
                .reply("u64"),
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
/// Calls the service [`Users`].
///
/// Each method gives a call that runs when it is awaited.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct UsersClient {
    channel: ::rpcx::__private::Channel,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::core::clone::Clone for UsersClient {
    fn clone(&self) -> Self {
        Self {
            channel: ::core::clone::Clone::clone(&self.channel),
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::core::fmt::Debug for UsersClient {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("UsersClient").field("channel", &self.channel).finish()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::rpcx::__private::Client for UsersClient {
    fn from_channel(channel: ::rpcx::__private::Channel) -> Self {
        Self { channel: channel }
    }
    fn channel(&self) -> &::rpcx::__private::Channel {
        &self.channel
    }
    fn service_info() -> ::core::option::Option<
        &'static ::rpcx::__private::ServiceInfo,
    > {
        ::core::option::Option::Some(__UsersIndex::service())
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl UsersClient {
    /// Makes a client of a channel.
    pub const fn new(channel: ::rpcx::__private::Channel) -> Self {
        Self { channel: channel }
    }
    /// Finds the servers of the service through the registry that the environment's `RPCX_REGISTRY` names: the service itself names none.
    ///
    /// It waits at most a second for the registry's first answer, and goes on without it: calls
    /// fail until there is one.
    ///
    /// # Errors
    ///
    /// If there is no registry, or one with wrong settings.
    pub async fn connect() -> ::rpcx::__private::Result<Self> {
        <Self as ::rpcx::__private::Client>::connect().await
    }
    /// Connects to the server at an address such as `tcp@127.0.0.1:8972`.
    ///
    /// # Errors
    ///
    /// If the address is none or nothing answers there.
    pub async fn connect_to(
        address: &::core::primitive::str,
    ) -> ::rpcx::__private::Result<Self> {
        <Self as ::rpcx::__private::Client>::connect_to(address).await
    }
    /// Makes a client with other settings than the defaults.
    pub fn builder() -> ::rpcx::__private::ClientBuilder<Self> {
        <Self as ::rpcx::__private::Client>::builder()
    }
    /// Calls `Users.Find`.
    pub fn find<'__call, __A0>(
        &'__call self,
        limit: __A0,
        name: &'__call str,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::Named<(__A0, &'__call str), (u32, ::rpcx::__private::String)>,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    >
    where
        __A0: ::rpcx::__private::ToArg<u32> + '__call,
    {
        ::rpcx::__private::call2(&self.channel, &__UsersMethods::find(), limit, name)
    }
    /// Calls `Users.Count`.
    pub fn count<'__call, __A0>(
        &'__call self,
        group: __A0,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::One<__A0, String>,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    >
    where
        __A0: ::rpcx::__private::ToArg<String> + '__call,
    {
        ::rpcx::__private::call1(&self.channel, &__UsersMethods::count(), group)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl Users for UsersClient {
    #[inline]
    fn find(
        &self,
        ctx: &rpcx::Context,
        limit: u32,
        name: &str,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        async move {
            ::rpcx::__private::Call::inherit(Self::find(self, limit, name), ctx).await
        }
    }
    #[inline]
    #[allow(refining_impl_trait)]
    fn count(
        &self,
        group: String,
    ) -> ::rpcx::__private::CallingFuture<
        '_,
        ::rpcx::__private::One<String, String>,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::core::future::IntoFuture::into_future(Self::count(self, group))
    }
}
/// Serves an implementation of [`Users`].
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct UsersServer<T> {
    service: T,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> UsersServer<T> {
    /// Makes a service of an implementation.
    pub const fn new(service: T) -> Self {
        Self { service: service }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> ::core::fmt::Debug for UsersServer<T> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("UsersServer").finish_non_exhaustive()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> ::rpcx::__private::Service for UsersServer<T>
where
    T: Users + 'static,
{
    fn info(&self) -> &'static ::rpcx::__private::ServiceInfo {
        __UsersIndex::service()
    }
    fn methods(&self) -> &'static [&'static ::rpcx::__private::MethodInfo] {
        __UsersIndex::methods()
    }
    fn resolve(
        &self,
        method: &[::core::primitive::u8],
    ) -> ::core::option::Option<::core::primitive::u16> {
        match method {
            b"Find" => {
                ::core::option::Option::Some(__UsersIndex::M0 as ::core::primitive::u16)
            }
            b"Count" => {
                ::core::option::Option::Some(__UsersIndex::M1 as ::core::primitive::u16)
            }
            _ => ::core::option::Option::None,
        }
    }
    fn start(
        self: ::rpcx::__private::Arc<Self>,
        index: ::core::primitive::u16,
        request: ::rpcx::__private::Request,
        slot: &mut ::rpcx::__private::Slot,
    ) {
        match __UsersIndex::ALL.get(index as ::core::primitive::usize) {
            ::core::option::Option::Some(__UsersIndex::M0) => {
                let method = __UsersMethods::find;
                if let ::core::option::Option::Some(
                    (exchange, (argument0, argument1)),
                ) = request.accept(&method())
                {
                    slot.run(async move {
                        let result = <T as Users>::find(
                                &self.service,
                                exchange.context(),
                                argument0,
                                &argument1,
                            )
                            .await;
                        exchange.answer(&method(), result);
                    });
                }
            }
            ::core::option::Option::Some(__UsersIndex::M1) => {
                let method = __UsersMethods::count;
                if let ::core::option::Option::Some((exchange, argument0)) = request
                    .accept(&method())
                {
                    slot.serve(
                        exchange,
                        method,
                        async move {
                            <T as Users>::count(&self.service, argument0).await
                        },
                    );
                }
            }
            _ => request.unknown_method(),
        }
    }
}
::rpcx::__private::__with_schema! {
    #[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
    impl ::rpcx::__private::Schemas for UsersClient { fn info() -> & 'static
    ::rpcx::__private::ServiceInfo { __UsersIndex::service() } fn methods(generator : &
    mut ::rpcx::__private::SchemaGenerator,) -> ::rpcx::__private::Vec <
    ::rpcx::__private::MethodSchema > {
    ::core::convert::From::from([::rpcx::__private::MethodSchema::new(__UsersIndex::M0
    .info(), ::core::convert::From::from([::rpcx::__private::Described:: < u32 > ::ASKED
    .schema(generator), ::rpcx::__private::Described:: < ::rpcx::__private::String >
    ::ASKED.schema(generator)]), ::rpcx::__private::Described:: < < rpcx::Result < u64 >
    as ::rpcx::__private::MethodResult > ::Ok > ::ASKED.schema(generator),),
    ::rpcx::__private::MethodSchema::new(__UsersIndex::M1.info(),
    ::core::convert::From::from([::rpcx::__private::Described:: < String > ::ASKED
    .schema(generator)]), ::rpcx::__private::Described:: < < rpcx::Result < u64 > as
    ::rpcx::__private::MethodResult > ::Ok > ::ASKED.schema(generator),),]) } }
}
