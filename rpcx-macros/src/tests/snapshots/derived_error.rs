::rpcx::__private::__derive_service_error! {}
#[automatically_derived]
const _: () = {
    #[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
    fn __typed<T: Clone>() -> ::rpcx::__private::TypedWire<StockError<T>>
    where
        StockError<T>: ::rpcx::__private::TypedError,
    {
        ::rpcx::__private::typed_error::<StockError<T>>()
    }
    #[allow(dead_code, deprecated, non_camel_case_types, clippy::all, clippy::pedantic)]
    #[allow(unreachable_patterns)]
    impl<T: Clone> ::rpcx::__private::ServiceError for StockError<T>
    where
        StockError<T>: ::rpcx::__private::TypedError,
    {
        fn to_wire(&self) -> ::rpcx::__private::String {
            match self {
                Self::Other { error: error } => {
                    ::rpcx::__private::other_error::<rpcx::Error>().to_wire(error)
                }
                typed => __typed::<T>().to_wire(typed),
            }
        }
        fn from_wire(error: ::rpcx::__private::Error) -> Self {
            match __typed::<T>().read(error) {
                ::core::result::Result::Ok(typed) => typed,
                ::core::result::Result::Err(error) => {
                    Self::Other {
                        error: ::rpcx::__private::other_error::<rpcx::Error>()
                            .read(error),
                    }
                }
            }
        }
    }
};
