//! Object stores: S3, Google Cloud Storage, Azure Blob Storage, and files of web servers.
//!
//! **Dramatis personae**: an [`Address`] is what `path` says; [`Settings`] are the other parameters;
//! a [`Store`] is a client with its limits; an [`Object`] is one version of an object in it; a
//! [`StoreLayout`] tells which objects are which table.
//!
//! Nothing of a store's own errors is shown, since they hold the addresses that were asked.

mod address;
mod build;
mod client;
mod content;
mod error;
mod footer;
mod layout;
mod object;
mod settings;

pub use address::Address;
pub use content::Content;
pub use footer::{Readers, ours};
pub use layout::StoreLayout;
pub use object::{Object, Store, same_version};
pub use settings::{Settings, none_is_given};

use std::sync::Arc;

use inflowave_connector_api::{OpenContext, Params};
use inflowave_types::Result;

use crate::layout::Format;
use footer::Footers;

/// Opens the store of an address. Nothing is asked of it yet.
///
/// # Errors
/// `22023` for parameters that do not fit the store.
pub fn open(
    address: Address,
    params: &Params,
    context: &OpenContext,
    format: Option<Format>,
    table: Option<String>,
    hive: bool,
) -> Result<StoreLayout> {
    let settings = Settings::new(params, &address)?;
    let built = build::build(&address, &settings)?;
    let store = Store {
        catalog: context.catalog.clone(),
        kind: address.kind,
        root: address.root.clone(),
        client: built.client,
        io: context.io.clone(),
        listed_objects_max: settings.limits.listed_objects_max,
        footers: Footers::new(settings.limits.metadata_cache_bytes_max),
    };
    StoreLayout::new(Arc::new(store), built.lister, address, format, table, hive)
}
