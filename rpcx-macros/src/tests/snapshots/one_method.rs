/// Calculates.
///
/// Implementations write these methods as `async fn`.
pub trait Arith: ::core::marker::Send + ::core::marker::Sync {
    /// Multiplies.
    fn mul(
        &self,
        args: Args,
    ) -> impl ::core::future::Future<
        Output = rpcx::Result<Reply>,
    > + ::core::marker::Send;
}
::rpcx::__private::__codec_json! {}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
enum __ArithIndex {
    M0,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __ArithIndex {
    const ALL: &'static [Self] = &[Self::M0];
    const fn service() -> &'static ::rpcx::__private::ServiceInfo {
        static INFO: ::rpcx::__private::ServiceInfo = ::rpcx::__private::ServiceInfo::new(
                "Arith",
            )
            .doc("Calculates.")
            .with_methods(__ArithIndex::methods());
        &INFO
    }
    const fn methods() -> &'static [&'static ::rpcx::__private::MethodInfo] {
        static METHODS: &[&::rpcx::__private::MethodInfo] = &[
            &::rpcx::__private::MethodInfo::declared(
                    "Arith",
                    "Mul",
                    &[::rpcx::__private::ParameterInfo::new("args", "Args")],
                    "Reply",
                )
                .codec(::rpcx::__private::SerializeType::JSON)
                .timeout(::core::time::Duration::from_millis(90000u64))
                .idempotent()
                .aliases(&["Multiply"])
                .doc("Multiplies."),
        ];
        METHODS
    }
    const fn info(self) -> &'static ::rpcx::__private::MethodInfo {
        Self::methods()[self as ::core::primitive::usize]
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct __ArithMethods;
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __ArithMethods {
    fn mul() -> ::rpcx::__private::Method<
        Args,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __ArithIndex::M0.info(),
            ::rpcx::__private::argument::<Args>().complete(),
            ::rpcx::__private::reply::<
                <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
}
/// Calls the service [`Arith`].
///
/// Each method gives a call that runs when it is awaited.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct ArithClient {
    channel: ::rpcx::__private::Channel,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::core::clone::Clone for ArithClient {
    fn clone(&self) -> Self {
        Self {
            channel: ::core::clone::Clone::clone(&self.channel),
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::core::fmt::Debug for ArithClient {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("ArithClient").field("channel", &self.channel).finish()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ::rpcx::__private::Client for ArithClient {
    fn from_channel(channel: ::rpcx::__private::Channel) -> Self {
        Self { channel: channel }
    }
    fn channel(&self) -> &::rpcx::__private::Channel {
        &self.channel
    }
    fn service_info() -> ::core::option::Option<
        &'static ::rpcx::__private::ServiceInfo,
    > {
        ::core::option::Option::Some(__ArithIndex::service())
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl ArithClient {
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
    /// Multiplies.
    pub fn mul<'__call, __A0>(
        &'__call self,
        args: __A0,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::One<__A0, Args>,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Err,
    >
    where
        __A0: ::rpcx::__private::ToArg<Args> + '__call,
    {
        ::rpcx::__private::call1(&self.channel, &__ArithMethods::mul(), args)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl Arith for ArithClient {
    #[inline]
    #[allow(refining_impl_trait)]
    fn mul(
        &self,
        args: Args,
    ) -> ::rpcx::__private::CallingFuture<
        '_,
        ::rpcx::__private::One<Args, Args>,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<Reply> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::core::future::IntoFuture::into_future(Self::mul(self, args))
    }
}
/// Serves an implementation of [`Arith`].
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct ArithServer<T> {
    service: T,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> ArithServer<T> {
    /// Makes a service of an implementation.
    pub const fn new(service: T) -> Self {
        Self { service: service }
    }
    const fn __service(&self) -> &T {
        &self.service
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> ::core::fmt::Debug for ArithServer<T> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("ArithServer").finish_non_exhaustive()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<T> ::rpcx::__private::Service for ArithServer<T>
where
    T: Arith + 'static,
{
    fn info(&self) -> &'static ::rpcx::__private::ServiceInfo {
        __ArithIndex::service()
    }
    fn methods(&self) -> &'static [&'static ::rpcx::__private::MethodInfo] {
        __ArithIndex::methods()
    }
    fn resolve(
        &self,
        method: &[::core::primitive::u8],
    ) -> ::core::option::Option<::core::primitive::u16> {
        match method {
            b"Mul" | b"Multiply" => {
                ::core::option::Option::Some(__ArithIndex::M0 as ::core::primitive::u16)
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
        match __ArithIndex::ALL.get(index as ::core::primitive::usize) {
            ::core::option::Option::Some(__ArithIndex::M0) => {
                let method = __ArithMethods::mul;
                if let ::core::option::Option::Some((exchange, argument0)) = request
                    .accept(&method())
                {
                    slot.serve(
                        exchange,
                        method,
                        self,
                        Self::__service,
                        (argument0,),
                        <T as Arith>::mul,
                    );
                }
            }
            _ => request.unknown_method(),
        }
    }
}
::rpcx::__private::__with_schema! {
    #[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
    impl ::rpcx::__private::Schemas for ArithClient { fn info() -> & 'static
    ::rpcx::__private::ServiceInfo { __ArithIndex::service() } fn methods(generator : &
    mut ::rpcx::__private::SchemaGenerator,) -> ::rpcx::__private::Vec <
    ::rpcx::__private::MethodSchema > {
    ::core::convert::From::from([::rpcx::__private::MethodSchema::new(__ArithIndex::M0
    .info(), ::core::convert::From::from([::rpcx::__private::Described:: < Args > ::ASKED
    .schema(generator)]), ::rpcx::__private::Described:: < < rpcx::Result < Reply > as
    ::rpcx::__private::MethodResult > ::Ok > ::ASKED.schema(generator),),]) } }
}
