pub trait Store<K: Data>: Debug + ::core::marker::Send + ::core::marker::Sync {
    /// Gets.
    fn get(
        &self,
        ctx: &rpcx::Context,
        key: K,
        names: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send;
    #[cfg(unix)]
    #[allow(clippy::manual_async_fn)]
    fn len(
        &self,
        mut most: u64,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        async move {
            most += 1;
            Ok(most)
        }
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
                )
                .doc("Gets."),
            #[cfg(unix)]
            &::rpcx::__private::MethodInfo::declared(
                "Store",
                "Len",
                &[::rpcx::__private::ParameterInfo::new("most", "u64")],
                "u64",
            ),
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
        u64,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Ok,
        <rpcx::Result<u64> as ::rpcx::__private::MethodResult>::Err,
    > {
        ::rpcx::__private::Method::new(
            __StoreIndex::M1.info(),
            ::rpcx::__private::argument::<u64>().complete(),
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
/// Stands in for [`Store`] in tests: a closure answers each method.
///
/// A method without a closure runs its default body, or returns an error that says so. `calls` tells which methods were called. Clones have the calls in common, so that one can be given away and another one asked.
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
pub struct StoreMock<K: Data> {
    calls: ::rpcx::__private::MockCalls,
    on_get: ::core::option::Option<
        ::rpcx::__private::Mocked<
            dyn ::core::ops::FnMut(
                &rpcx::Context,
                K,
                &[String],
            ) -> ::rpcx::__private::Answer<rpcx::Result<K>> + ::core::marker::Send,
        >,
    >,
    #[cfg(unix)]
    on_len: ::core::option::Option<
        ::rpcx::__private::Mocked<
            dyn ::core::ops::FnMut(
                u64,
            ) -> ::rpcx::__private::Answer<rpcx::Result<u64>> + ::core::marker::Send,
        >,
    >,
    marker: ::core::marker::PhantomData<fn() -> (::core::marker::PhantomData<K>,)>,
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> ::core::default::Default for StoreMock<K> {
    fn default() -> Self {
        Self {
            calls: ::core::default::Default::default(),
            on_get: ::core::option::Option::None,
            #[cfg(unix)]
            on_len: ::core::option::Option::None,
            marker: ::core::marker::PhantomData,
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> ::core::clone::Clone for StoreMock<K> {
    fn clone(&self) -> Self {
        Self {
            calls: ::core::clone::Clone::clone(&self.calls),
            on_get: ::core::clone::Clone::clone(&self.on_get),
            #[cfg(unix)]
            on_len: ::core::clone::Clone::clone(&self.on_len),
            marker: ::core::marker::PhantomData,
        }
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> ::core::fmt::Debug for StoreMock<K> {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.debug_struct("StoreMock").field("calls", &self.calls).finish_non_exhaustive()
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> StoreMock<K> {
    /// Starts without any closure.
    #[must_use]
    pub fn new() -> Self {
        ::core::default::Default::default()
    }
    /// Lists the methods that were called, in the order of the calls, by their names in Rust.
    #[must_use]
    pub fn calls(&self) -> ::rpcx::__private::Vec<&'static ::core::primitive::str> {
        self.calls.list()
    }
    /// Answers calls of `get` with what `answer` returns.
    #[must_use]
    pub fn on_get(
        mut self,
        mut answer: impl ::core::ops::FnMut(
            &rpcx::Context,
            K,
            &[String],
        ) -> rpcx::Result<K> + ::core::marker::Send + 'static,
    ) -> Self {
        self.on_get = ::core::option::Option::Some(
            ::rpcx::__private::Arc::new(
                ::rpcx::__private::Mutex::new(move |
                    argument0: &rpcx::Context,
                    argument1: K,
                    argument2: &[String]|
                ::rpcx::__private::Answer::Now(answer(argument0, argument1, argument2))),
            ),
        );
        self
    }
    /// Answers calls of `get` with what the future of `answer` gives.
    #[must_use]
    pub fn on_get_async<__Future>(
        mut self,
        mut answer: impl ::core::ops::FnMut(
            &rpcx::Context,
            K,
            &[String],
        ) -> __Future + ::core::marker::Send + 'static,
    ) -> Self
    where
        __Future: ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send
            + 'static,
    {
        self.on_get = ::core::option::Option::Some(
            ::rpcx::__private::Arc::new(
                ::rpcx::__private::Mutex::new(move |
                    argument0: &rpcx::Context,
                    argument1: K,
                    argument2: &[String]|
                ::rpcx::__private::Answer::Later(
                    ::rpcx::__private::Box::pin(answer(argument0, argument1, argument2)),
                )),
            ),
        );
        self
    }
    #[cfg(unix)]
    /// Answers calls of `len` with what `answer` returns.
    #[must_use]
    pub fn on_len(
        mut self,
        mut answer: impl ::core::ops::FnMut(
            u64,
        ) -> rpcx::Result<u64> + ::core::marker::Send + 'static,
    ) -> Self {
        self.on_len = ::core::option::Option::Some(
            ::rpcx::__private::Arc::new(
                ::rpcx::__private::Mutex::new(move |argument0: u64| ::rpcx::__private::Answer::Now(
                    answer(argument0),
                )),
            ),
        );
        self
    }
    #[cfg(unix)]
    /// Answers calls of `len` with what the future of `answer` gives.
    #[must_use]
    pub fn on_len_async<__Future>(
        mut self,
        mut answer: impl ::core::ops::FnMut(
            u64,
        ) -> __Future + ::core::marker::Send + 'static,
    ) -> Self
    where
        __Future: ::core::future::Future<Output = rpcx::Result<u64>>
            + ::core::marker::Send + 'static,
    {
        self.on_len = ::core::option::Option::Some(
            ::rpcx::__private::Arc::new(
                ::rpcx::__private::Mutex::new(move |argument0: u64| ::rpcx::__private::Answer::Later(
                    ::rpcx::__private::Box::pin(answer(argument0)),
                )),
            ),
        );
        self
    }
}
#[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
impl<K: Data> Store<K> for StoreMock<K>
where
    for<'__rpcx> StoreMock<K>: Debug,
{
    fn get(
        &self,
        ctx: &rpcx::Context,
        key: K,
        names: &[String],
    ) -> impl ::core::future::Future<Output = rpcx::Result<K>> + ::core::marker::Send {
        async move {
            self.calls.record("get");
            match &self.on_get {
                ::core::option::Option::Some(answer) => {
                    let answer = (*::rpcx::__private::lock(answer))(ctx, key, names);
                    answer.get().await
                }
                ::core::option::Option::None => {
                    ::core::result::Result::Err(
                        __StoreMethods::<K>::get()
                            .error()
                            .read(::rpcx::__private::unmocked("StoreMock", "get")),
                    )
                }
            }
        }
    }
    #[cfg(unix)]
    fn len(
        &self,
        mut most: u64,
    ) -> impl ::core::future::Future<Output = rpcx::Result<u64>> + ::core::marker::Send {
        async move {
            self.calls.record("len");
            match &self.on_len {
                ::core::option::Option::Some(answer) => {
                    let answer = (*::rpcx::__private::lock(answer))(most);
                    answer.get().await
                }
                ::core::option::Option::None => {
                    most += 1;
                    Ok(most)
                }
            }
        }
    }
}
