pub trait Store<
    K: Data,
    const N: usize = 2,
>: Debug + ::core::marker::Send + ::core::marker::Sync
where
    K: Clone,
{
    fn get(
        &self,
        key: K,
    ) -> impl ::core::future::Future<
        Output = rpcx::Result<[K; N]>,
    > + ::core::marker::Send;
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
enum __StoreIndex {
    M0,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __StoreIndex {
    const ALL: &'static [Self] = &[Self::M0];
    const fn service() -> &'static ::rpcx::__private::ServiceInfo {
        static INFO: ::rpcx::__private::ServiceInfo = ::rpcx::__private::ServiceInfo::new(
                "Store",
            )
            .with_methods(__StoreIndex::methods());
        &INFO
    }
    const fn methods() -> &'static [&'static ::rpcx::__private::MethodInfo] {
        static METHODS: &[&::rpcx::__private::MethodInfo] = &[
            &::rpcx::__private::MethodInfo::declared(
                "Store",
                "Get",
                &[::rpcx::__private::ParameterInfo::new("key", "K")],
                "[K; N]",
            ),
        ];
        METHODS
    }
    const fn info(self) -> &'static ::rpcx::__private::MethodInfo {
        Self::methods()[self as ::core::primitive::usize]
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct __StoreMethods<K: Data, const N: usize = 2>(
    ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<K>,)>,
)
where
    K: Clone;
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> __StoreMethods<K, N>
where
    K: Clone,
{
    fn get() -> ::rpcx::__private::Method<
        K,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __StoreIndex::M0.info(),
            ::rpcx::__private::argument::<K>().complete(),
            ::rpcx::__private::reply::<
                <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
}
/// Calls the service [`Store`].
///
/// Each method gives a call that runs when it is awaited.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct StoreClient<K: Data, const N: usize = 2>
where
    K: Clone,
{
    channel: ::rpcx::__private::Channel,
    marker: ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<K>,)>,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> ::core::clone::Clone for StoreClient<K, N>
where
    K: Clone,
{
    fn clone(&self) -> Self {
        Self {
            channel: ::core::clone::Clone::clone(&self.channel),
            marker: ::core::marker::PhantomData,
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> ::core::fmt::Debug for StoreClient<K, N>
where
    K: Clone,
{
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("StoreClient").field("channel", &self.channel).finish()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> ::rpcx::__private::Client for StoreClient<K, N>
where
    K: Clone,
{
    fn from_channel(channel: ::rpcx::__private::Channel) -> Self {
        Self {
            channel: channel,
            marker: ::core::marker::PhantomData,
        }
    }
    fn channel(&self) -> &::rpcx::__private::Channel {
        &self.channel
    }
    fn service_info() -> ::core::option::Option<
        &'static ::rpcx::__private::ServiceInfo,
    > {
        ::core::option::Option::Some(__StoreIndex::service())
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> StoreClient<K, N>
where
    K: Clone,
{
    /// Makes a client of a channel.
    pub const fn new(channel: ::rpcx::__private::Channel) -> Self {
        Self {
            channel: channel,
            marker: ::core::marker::PhantomData,
        }
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
    /// Calls `Store.Get`.
    pub fn get<'__call, __A0>(
        &'__call self,
        key: __A0,
    ) -> ::rpcx::__private::Call<
        '__call,
        ::rpcx::__private::One<__A0, K>,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Err,
    >
    where
        __A0: ::rpcx::__private::ToArg<K> + '__call,
    {
        ::rpcx::__private::call1(&self.channel, &__StoreMethods::<K, N>::get(), key)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data, const N: usize> Store<K, N> for StoreClient<K, N>
where
    K: Clone,
    for<'__rpcx> StoreClient<K, N>: Debug,
{
    #[inline]
    #[allow(refining_impl_trait)]
    fn get(
        &self,
        key: K,
    ) -> ::rpcx::__private::CallingFuture<
        '_,
        ::rpcx::__private::One<K, K>,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<[K; N]> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::core::future::IntoFuture::into_future(Self::get(self, key))
    }
}
/// Serves an implementation of [`Store`].
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct StoreServer<__T, K: Data, const N: usize = 2>
where
    K: Clone,
{
    service: __T,
    marker: ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<K>,)>,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<__T, K: Data, const N: usize> StoreServer<__T, K, N>
where
    K: Clone,
{
    /// Makes a service of an implementation.
    pub const fn new(service: __T) -> Self {
        Self {
            service: service,
            marker: ::core::marker::PhantomData,
        }
    }
    const fn __service(&self) -> &__T {
        &self.service
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<__T, K: Data, const N: usize> ::core::fmt::Debug for StoreServer<__T, K, N>
where
    K: Clone,
{
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("StoreServer").finish_non_exhaustive()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<__T, K: Data, const N: usize> ::rpcx::__private::Service for StoreServer<__T, K, N>
where
    K: Clone,
    __T: Store<K, N> + 'static,
    K: 'static,
{
    fn info(&self) -> &'static ::rpcx::__private::ServiceInfo {
        __StoreIndex::service()
    }
    fn methods(&self) -> &'static [&'static ::rpcx::__private::MethodInfo] {
        __StoreIndex::methods()
    }
    fn resolve(
        &self,
        method: &[::core::primitive::u8],
    ) -> ::core::option::Option<::core::primitive::u16> {
        match method {
            b"Get" => {
                ::core::option::Option::Some(__StoreIndex::M0 as ::core::primitive::u16)
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
        match __StoreIndex::ALL.get(index as ::core::primitive::usize) {
            ::core::option::Option::Some(__StoreIndex::M0) => {
                let method = __StoreMethods::<K, N>::get;
                if let ::core::option::Option::Some((exchange, argument0)) = request
                    .accept(&method())
                {
                    slot.serve(
                        exchange,
                        method,
                        self,
                        Self::__service,
                        (argument0,),
                        <__T as Store<K, N>>::get,
                    );
                }
            }
            _ => request.unknown_method(),
        }
    }
}
::rpcx::__private::__with_schema! {
    #[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
    impl < K : Data, const N : usize > ::rpcx::__private::Schemas for StoreClient < K, N
    > where K : Clone { fn info() -> & 'static ::rpcx::__private::ServiceInfo {
    __StoreIndex::service() } fn methods(generator : & mut
    ::rpcx::__private::SchemaGenerator,) -> ::rpcx::__private::Vec <
    ::rpcx::__private::MethodSchema > {
    ::core::convert::From::from([::rpcx::__private::MethodSchema::new(__StoreIndex::M0
    .info(), ::core::convert::From::from([::rpcx::__private::Described:: < K > ::ASKED
    .schema(generator)]), ::rpcx::__private::Described:: < < rpcx::Result < [K; N] > as
    ::rpcx::__private::MethodResult > ::Ok > ::ASKED.schema(generator),),]) } }
}
