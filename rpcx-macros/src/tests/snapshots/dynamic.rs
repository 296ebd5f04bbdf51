pub trait Store<K: Data>: Debug + ::core::marker::Send + ::core::marker::Sync {
    fn get(
        &self,
        ctx: &rpcx::Context,
        key: K,
        names: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send;
    #[cfg(unix)]
    fn len(
        &self,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send;
    fn name(&self) -> &str {
        "store"
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
enum __StoreIndex {
    M0,
    #[cfg(unix)]
    M1,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl __StoreIndex {
    const ALL: &'static [Self] = &[Self::M0, #[cfg(unix)] Self::M1];
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
                &[
                    ::rpcx::__private::ParameterInfo::new("key", "K"),
                    ::rpcx::__private::ParameterInfo::new("names", "Vec<String>"),
                ],
                "K",
            ),
            #[cfg(unix)]
            &::rpcx::__private::MethodInfo::declared("Store", "Len", &[], "u64"),
        ];
        METHODS
    }
    const fn info(self) -> &'static ::rpcx::__private::MethodInfo {
        Self::methods()[self as ::core::primitive::usize]
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
struct __StoreMethods<K: Data>(
    ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<K>,)>,
);
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> __StoreMethods<K> {
    fn get() -> ::rpcx::__private::Method<
        (K, ::rpcx::__private::Vec<String>),
        <rpcx::Result<K> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<K> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __StoreIndex::M0.info(),
            {
                ::rpcx::__private::borrowed::<::rpcx::__private::Vec<String>>();
                ::rpcx::__private::arguments2::<
                    K,
                    ::rpcx::__private::Vec<String>,
                >(&["key", "names"])
            },
            ::rpcx::__private::reply::<
                <rpcx::Result<K> as ::rpcx::__private::MethodResult>::Ok,
            >()
                .complete(),
            ::rpcx::__private::error_type::<
                <rpcx::Result<K> as ::rpcx::__private::MethodResult>::Err,
            >(),
        )
    }
    #[cfg(unix)]
    fn len() -> ::rpcx::__private::Method<
        (),
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __StoreIndex::M1.info(),
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
}
/// [`Store`] behind a pointer: `Box<dyn DynStore>`, `Arc<dyn DynStore>`.
///
/// Implement [`Store`]: whatever does is a `DynStore` too. The pointers, and `dyn DynStore`, implement [`Store`] again.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub trait DynStore<K: Data>: Debug + ::core::marker::Send + ::core::marker::Sync
where
    K: 'static,
{
    #[doc(hidden)]
    fn __dyn_get<'__call>(
        &'__call self,
        argument0: &'__call rpcx::Context,
        argument1: K,
        argument2: &'__call [String],
    ) -> ::rpcx::__private::BoxFuture<'__call, rpcx::Result<K>>;
    #[cfg(unix)]
    #[doc(hidden)]
    fn __dyn_len<'__call>(
        &'__call self,
    ) -> ::rpcx::__private::BoxFuture<'__call, rpcx::Result<u64>>;
    #[doc(hidden)]
    fn __dyn_name(&self) -> &str;
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<__T, K: Data> DynStore<K> for __T
where
    K: 'static,
    __T: Store<K>,
{
    fn __dyn_get<'__call>(
        &'__call self,
        argument0: &'__call rpcx::Context,
        argument1: K,
        argument2: &'__call [String],
    ) -> ::rpcx::__private::BoxFuture<'__call, rpcx::Result<K>> {
        ::rpcx::__private::Box::pin(
            <__T as Store<K>>::get(self, argument0, argument1, argument2),
        )
    }
    #[cfg(unix)]
    fn __dyn_len<'__call>(
        &'__call self,
    ) -> ::rpcx::__private::BoxFuture<'__call, rpcx::Result<u64>> {
        ::rpcx::__private::Box::pin(<__T as Store<K>>::len(self))
    }
    fn __dyn_name(&self) -> &str {
        <__T as Store<K>>::name(self)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<'__dyn, K: Data> Store<K> for dyn DynStore<K> + '__dyn
where
    K: 'static,
    for<'__rpcx> dyn DynStore<K> + '__dyn: Debug,
{
    fn get(
        &self,
        argument0: &rpcx::Context,
        argument1: K,
        argument2: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send {
        async move {
            DynStore::<K>::__dyn_get(self, argument0, argument1, argument2).await
        }
    }
    #[cfg(unix)]
    fn len(
        &self,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        DynStore::<K>::__dyn_len(self)
    }
    fn name(&self) -> &str {
        DynStore::<K>::__dyn_name(self)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<'__dyn, K: Data> Store<K> for ::rpcx::__private::Box<dyn DynStore<K> + '__dyn>
where
    K: 'static,
    for<'__rpcx> ::rpcx::__private::Box<dyn DynStore<K> + '__dyn>: Debug,
{
    fn get(
        &self,
        argument0: &rpcx::Context,
        argument1: K,
        argument2: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send {
        async move {
            DynStore::<K>::__dyn_get(&**self, argument0, argument1, argument2).await
        }
    }
    #[cfg(unix)]
    fn len(
        &self,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        DynStore::<K>::__dyn_len(&**self)
    }
    fn name(&self) -> &str {
        DynStore::<K>::__dyn_name(&**self)
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<'__dyn, K: Data> Store<K> for ::rpcx::__private::Arc<dyn DynStore<K> + '__dyn>
where
    K: 'static,
    for<'__rpcx> ::rpcx::__private::Arc<dyn DynStore<K> + '__dyn>: Debug,
{
    fn get(
        &self,
        argument0: &rpcx::Context,
        argument1: K,
        argument2: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send {
        async move {
            DynStore::<K>::__dyn_get(&**self, argument0, argument1, argument2).await
        }
    }
    #[cfg(unix)]
    fn len(
        &self,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        DynStore::<K>::__dyn_len(&**self)
    }
    fn name(&self) -> &str {
        DynStore::<K>::__dyn_name(&**self)
    }
}
