//! The types of the wire: those of output fields, which all protocols share, and those of parameters.

mod parameter;

pub use inflowave_query_api::{WireType, element, element_of};

pub(crate) use self::parameter::{array_element, name, parameter};
