//! Networks that speak HTTP, a file each: how their requests become messages, and messages their requests.
//!
//! Those that Vumi had follow its transport specifications (the file of the same name), the others their services'
//! public documentation. All stand on [`crate::http`]. Adding one is its file, a line here and one in
//! [`crate::registry`].

mod africastalking;
pub mod africastalking_sms;
pub mod africastalking_ussd;
pub mod airtel;
pub mod apposit;
pub mod cellulant;
pub mod dmark;
pub mod generic;
pub mod http_api;
pub mod imimobile;
pub mod infobip;
pub mod integrat;
pub mod junebug;
pub mod mediaedgegsm;
pub mod mediafonemc;
pub mod messenger;
mod meta;
pub mod mtech_kenya;
pub mod mtech_ussd;
pub mod mtn_rwanda;
pub mod mxit;
pub mod netcore;
pub mod old_simple_http;
pub mod old_template_http;
pub mod opera;
pub mod parlayx;
pub mod safaricom;
pub mod smssync;
pub mod telegram;
pub mod trueafrican;
pub mod turn;
pub mod twilio;
pub mod vas2nets;
pub mod vodacom_messaging;
pub mod vumi_bridge;
pub mod wechat;
pub mod whatsapp_cloud;
