trait Users: ::core::marker::Send + ::core::marker::Sync {
    fn count(
        &self,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send;
    fn find(
        &self,
        ctx: &rpcx::Context,
        name: &str,
        groups: &[Group],
        limit: u32,
    ) -> impl ::core::future::Future<
        Output = Result<Vec<User>, Failure>,
    > + ::core::marker::Send;
    #[cfg(feature = "notes")]
    #[allow(clippy::manual_async_fn)]
    fn note(
        &self,
        user: &User,
    ) -> impl ::core::future::Future<Output = rpcx::Result<()>> + ::core::marker::Send {
        async move {
            self.count().await?;
            Ok(())
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
enum __UsersIndex {
    M0,
    M1,
    #[cfg(feature = "notes")]
    M2,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __UsersIndex {
    const ALL: &'static [Self] = &[
        Self::M0,
        Self::M1,
        #[cfg(feature = "notes")]
        Self::M2,
    ];
    const fn service() -> &'static ::rpcx::__private::ServiceInfo {
        static INFO: ::rpcx::__private::ServiceInfo = ::rpcx::__private::ServiceInfo::new(
                "Users",
            )
            .with_methods(__UsersIndex::methods());
        &INFO
    }
    const fn methods() -> &'static [&'static ::rpcx::__private::MethodInfo] {
        static METHODS: &[&::rpcx::__private::MethodInfo] = &[
            &::rpcx::__private::MethodInfo::declared("Users", "Count", &[], "u64"),
            &::rpcx::__private::MethodInfo::declared(
                "Users",
                "Find",
                &[
                    ::rpcx::__private::ParameterInfo::new("name", "String"),
                    ::rpcx::__private::ParameterInfo::new("Groups", "Vec<Group>"),
                    ::rpcx::__private::ParameterInfo::new("limit", "u32"),
                ],
                "Vec<User>",
            ),
            #[cfg(feature = "notes")]
            &::rpcx::__private::MethodInfo::declared(
                    "Users",
                    "Note",
                    &[::rpcx::__private::ParameterInfo::new("user", "User")],
                    "()",
                )
                .oneway(),
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
    fn count() -> ::rpcx::__private::Method<
        (),
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __UsersIndex::M0.info(),
            ::rpcx::__private::no_arguments(),
            ::rpcx::__private::reply::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
    fn find() -> ::rpcx::__private::Method<
        (::rpcx::__private::String, ::rpcx::__private::Vec<Group>, u32),
        <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Ok,
        <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __UsersIndex::M1.info(),
            {
                ::rpcx::__private::borrowed::<::rpcx::__private::String>();
                ::rpcx::__private::borrowed::<::rpcx::__private::Vec<Group>>();
                ::rpcx::__private::arguments3::<
                    ::rpcx::__private::String,
                    ::rpcx::__private::Vec<Group>,
                    u32,
                >(&["name", "Groups", "limit"])
            },
            ::rpcx::__private::reply::<
                <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
    #[cfg(feature = "notes")]
    fn note() -> ::rpcx::__private::Method<
        User,
        (),
        <rpcx::Result<()> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __UsersIndex::M2.info(),
            ::rpcx::__private::borrowed_argument::<User>().complete(),
            ::rpcx::__private::reply::<()>().complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<()> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
}
/// Calls the service [`Users`].
///
/// Each method gives a call that runs when it is awaited.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct UsersClient {
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
    const fn new(channel: ::rpcx::__private::Channel) -> Self {
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
    async fn connect() -> ::rpcx::__private::Result<Self> {
        <Self as ::rpcx::__private::Client>::connect().await
    }
    /// Connects to the server at an address such as `tcp@127.0.0.1:8972`.
    ///
    /// # Errors
    ///
    /// If the address is none or nothing answers there.
    async fn connect_to(
        address: &::core::primitive::str,
    ) -> ::rpcx::__private::Result<Self> {
        <Self as ::rpcx::__private::Client>::connect_to(address).await
    }
    /// Makes a client with other settings than the defaults.
    fn builder() -> ::rpcx::__private::ClientBuilder<Self> {
        <Self as ::rpcx::__private::Client>::builder()
    }
    /// Calls `Users.Count`.
    fn count<'__call>(
        &'__call self,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::NoArguments,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::call0(&self.channel, &__UsersMethods::count())
    }
    /// Calls `Users.Find`.
    fn find<'__call, __A2>(
        &'__call self,
        name: &'__call str,
        groups: &'__call [Group],
        limit: __A2,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::Named<
            (&'__call str, &'__call [Group], __A2),
            (::rpcx::__private::String, ::rpcx::__private::Vec<Group>, u32),
        >,
        <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Ok,
        <Result<Vec<User>, Failure> as ::rpcx::__private::MethodResult>::Err,
    >
    where
        __A2: ::rpcx::__private::ToArg<u32> + '__call,
    {
        ::rpcx::__private::call3(
            &self.channel,
            &__UsersMethods::find(),
            name,
            groups,
            limit,
        )
    }
    #[cfg(feature = "notes")]
    /// Calls `Users.Note`.
    fn note<'__call>(
        &'__call self,
        user: &'__call User,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::One<&'__call User, User>,
        (),
        <rpcx::Result<()> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::call1(&self.channel, &__UsersMethods::note(), user)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl Users for UsersClient {
    #[inline]
    #[allow(refining_impl_trait)]
    fn count(
        &self,
    ) -> ::rpcx::__private::CallingFuture<
        '_,
        ::rpcx::__private::NoArguments,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::core::future::IntoFuture::into_future(Self::count(self))
    }
    #[inline]
    fn find(
        &self,
        ctx: &rpcx::Context,
        name: &str,
        groups: &[Group],
        limit: u32,
    ) -> impl ::core::future::Future<
        Output = Result<Vec<User>, Failure>,
    > + ::core::marker::Send {
        async move {
            ::rpcx::__private::Call::inherit(Self::find(self, name, groups, limit), ctx)
                .await
        }
    }
    #[cfg(feature = "notes")]
    #[inline]
    fn note(
        &self,
        user: &User,
    ) -> impl ::core::future::Future<Output = rpcx::Result<()>> + ::core::marker::Send {
        async move { Self::note(self, user).await }
    }
}
/// Serves an implementation of [`Users`].
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct UsersServer<T> {
    service: T,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> UsersServer<T> {
    /// Makes a service of an implementation.
    const fn new(service: T) -> Self {
        Self { service: service }
    }
    const fn __service(&self) -> &T {
        &self.service
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
            b"Count" => {
                ::core::option::Option::Some(__UsersIndex::M0 as ::core::primitive::u16)
            }
            b"Find" => {
                ::core::option::Option::Some(__UsersIndex::M1 as ::core::primitive::u16)
            }
            #[cfg(feature = "notes")]
            b"Note" => {
                ::core::option::Option::Some(__UsersIndex::M2 as ::core::primitive::u16)
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
                let method = __UsersMethods::count;
                if let ::core::option::Option::Some((exchange, ())) = request
                    .accept(&method())
                {
                    slot.serve(
                        exchange,
                        method,
                        self,
                        Self::__service,
                        (),
                        <T as Users>::count,
                    );
                }
            }
            ::core::option::Option::Some(__UsersIndex::M1) => {
                let method = __UsersMethods::find;
                if let ::core::option::Option::Some(
                    (exchange, (argument0, argument1, argument2)),
                ) = request.accept(&method())
                {
                    slot.run(async move {
                        let result = <T as Users>::find(
                                &self.service,
                                exchange.context(),
                                &argument0,
                                &argument1,
                                argument2,
                            )
                            .await;
                        exchange.answer(&method(), result);
                    });
                }
            }
            #[cfg(feature = "notes")]
            ::core::option::Option::Some(__UsersIndex::M2) => {
                let method = __UsersMethods::note;
                if let ::core::option::Option::Some((exchange, argument0)) = request
                    .accept(&method())
                {
                    slot.run(async move {
                        let result = <T as Users>::note(&self.service, &argument0).await;
                        exchange.answer(&method(), result);
                    });
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
    .info(), ::core::convert::From::from([]), ::rpcx::__private::Described:: < <
    rpcx::Result < u64 > as ::rpcx::__private::MethodResult > ::Ok > ::ASKED
    .schema(generator),), ::rpcx::__private::MethodSchema::new(__UsersIndex::M1.info(),
    ::core::convert::From::from([::rpcx::__private::Described:: <
    ::rpcx::__private::String > ::ASKED.schema(generator), ::rpcx::__private::Described::
    < ::rpcx::__private::Vec < Group > > ::ASKED.schema(generator),
    ::rpcx::__private::Described:: < u32 > ::ASKED.schema(generator)]),
    ::rpcx::__private::Described:: < < Result < Vec < User >, Failure > as
    ::rpcx::__private::MethodResult > ::Ok > ::ASKED.schema(generator),), #[cfg(feature =
    "notes")] ::rpcx::__private::MethodSchema::new(__UsersIndex::M2.info(),
    ::core::convert::From::from([::rpcx::__private::Described:: < User > ::ASKED
    .schema(generator)]), ::rpcx::__private::Described:: < () > ::ASKED
    .schema(generator),),]) } }
}
